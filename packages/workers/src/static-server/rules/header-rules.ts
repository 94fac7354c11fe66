/**
 * What the rules of `_headers` give a path: the fields of all rules that are for it, in their
 * order, as one set. Paths with the same rules share one set, so that a file's replies are made
 * once. One for each site; runs in its server's thread.
 */
import { PLAIN_HEADERS, type HeaderSet } from '@usher/shared/http/files/stored-file.ts'
import type { HeaderField, HeaderRule } from '@usher/shared/site-rules.ts'
import { fillIn, matchPath, placeholdersIn, type Captures } from './path-pattern.ts'

/** A visitor who asks for ever new paths cannot fill memory. */
const SETS_MAX = 1000

export class HeaderRules {
  readonly #rules: ReadonlyArray<HeaderRule & { readonly named: readonly string[] }>
  /** By the rules' places and what is filled into their values. */
  readonly #sets = new Map<string, HeaderSet>()

  constructor (rules: readonly HeaderRule[]) {
    this.#rules = rules.map(rule =>
      ({ ...rule, named: rule.fields.flatMap(({ value }) => placeholdersIn(value)) }))
  }

  get isEmpty (): boolean {
    return this.#rules.length === 0
  }

  /** @param segments canonical */
  setFor (segments: readonly string[]): HeaderSet {
    if (this.isEmpty) return PLAIN_HEADERS
    const matches = this.#matches(segments)
    if (matches.length === 0) return PLAIN_HEADERS
    const key = matches.map(({ key }) => key).join(' ')
    let set = this.#sets.get(key)
    if (set === undefined) {
      if (this.#sets.size >= SETS_MAX) this.#sets.clear()
      set = merge(matches)
      this.#sets.set(key, set)
    }
    return set
  }

  #matches (segments: readonly string[]): Match[] {
    const matches: Match[] = []
    for (const [at, rule] of this.#rules.entries()) {
      const captures = matchPath(rule.path, segments)
      if (captures === undefined) continue
      // No value in canonical escapes has a line feed or a space in it.
      const key = [at, ...rule.named.map(name => captures.get(name) ?? '')].join('\n')
      matches.push({ key, rule, captures })
    }
    return matches
  }
}

interface Match {
  readonly key: string
  readonly rule: HeaderRule
  readonly captures: Captures
}

/** Value undefined: taken away, and nothing has come in its place. */
type Fields = Map<string, { readonly name: string, readonly value: string | undefined }>

function merge (matches: readonly Match[]): HeaderSet {
  const fields: Fields = new Map()
  for (const { rule, captures } of matches) {
    for (const name of rule.removed) fields.set(name, { name, value: undefined })
    for (const field of rule.fields) addField(fields, field, captures)
  }
  return {
    contentType: take(fields, 'content-type', PLAIN_HEADERS.contentType),
    cacheControl: take(fields, 'cache-control', PLAIN_HEADERS.cacheControl),
    vary: take(fields, 'vary', PLAIN_HEADERS.vary),
    others: [...fields.values()]
      .flatMap(({ name, value }) => value === undefined ? [] : [name, value])
  }
}

/** Cloudflare Pages: values of one name are joined. There is only one type. */
function addField (fields: Fields, { name, value }: HeaderField, captures: Captures): void {
  const key = name.toLowerCase()
  const filled = fillIn(value, captures)
  const before = key === 'content-type' ? undefined : fields.get(key)
  fields.set(key, {
    name: before?.name ?? name,
    value: before?.value === undefined ? filled : `${before.value}, ${filled}`
  })
}

function take (fields: Fields, name: string, otherwise: string | undefined): string | undefined {
  const field = fields.get(name)
  fields.delete(name)
  return field === undefined ? otherwise : field.value
}
