/**
 * The lines of a rules file and what is wrong with them: every problem is kept, with its line, so
 * that its owner can mend them all at once. Pure.
 */
import { quote } from '@usher/shared/quote.ts'

export interface RuleLine {
  /** Counted from 1. */
  readonly number: number
  /** Without white space around it; not empty, and no comment. */
  readonly text: string
}

export interface RuleLimits {
  readonly lineLengthMax: number
}

export interface Problem {
  readonly line: number
  /** Follows the line's number: `has no destination`. */
  readonly what: string
}

/** What a file holds, and what is wrong with it. */
export interface Parsed<T> {
  readonly rules: readonly T[]
  readonly problems: readonly Problem[]
}

/** What UTF-8 cannot say stands as U+FFFD in a text that was read. */
const NOT_UTF8 = /[\p{Cs}\ufffd]/u
const BYTE_ORDER_MARK = '\ufeff'
/** `\p{Cc}` but for the tab, which is white space. */
const CONTROL = /[^\P{Cc}\t]/u

/** All lines with something in them; those that cannot be read are told of and left out. */
export function ruleLines (
  text: string, { lineLengthMax }: RuleLimits, problems: Problem[]
): RuleLine[] {
  const withoutMark = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  return withoutMark.split('\n').flatMap((written, at): RuleLine[] => {
    const line = written.endsWith('\r') ? written.slice(0, -1) : written
    const number = at + 1
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const what = unreadable(line, lineLengthMax)
    if (what === undefined) return [{ number, text: trimmed }]
    problems.push({ line: number, what })
    return []
  })
}

function unreadable (line: string, lengthMax: number): string | undefined {
  if (line.length > lengthMax) return `has ${line.length} characters; ${lengthMax} are allowed`
  if (NOT_UTF8.test(line)) return 'is not UTF-8'
  const control = CONTROL.exec(line)
  return control === null ? undefined : `has a control character: ${quote(control[0])}`
}
