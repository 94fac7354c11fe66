/** Puts text that somebody else wrote into a message without harm. Pure; starts nothing. */
import { visibleText } from './visible-text.ts'

const SHOWN_LENGTH_MAX = 200

/** In double quotes, on one line, unseen characters escaped, cut when it is very long. */
export function quote (text: string): string {
  const isLong = text.length > SHOWN_LENGTH_MAX
  return visibleText(JSON.stringify(isLong ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text))
}

/** As `quote`, without the quotes: for a name. */
export function quoteName (text: string): string {
  return quote(text).slice(1, -1)
}
