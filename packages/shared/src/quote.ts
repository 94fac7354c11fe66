/** Puts text that somebody else wrote into a message without harm. Pure; starts nothing. */
import { visibleText } from './visible-text.ts'

const SHOWN_LENGTH_MAX = 200
/** Linux takes none that is longer (PATH_MAX). */
const PATH_LENGTH_MAX = 4096

/** In double quotes, on one line, unseen characters escaped, cut when it is very long. */
export function quote (text: string): string {
  return quoteUpTo(SHOWN_LENGTH_MAX, text)
}

/** As `quote`, but whole: what is cut names another file. */
export function quotePath (path: string): string {
  return quoteUpTo(PATH_LENGTH_MAX, path)
}

/** As `quote`, without the quotes: for a name. */
export function quoteName (text: string): string {
  return quote(text).slice(1, -1)
}

function quoteUpTo (lengthMax: number, text: string): string {
  const isLong = text.length > lengthMax
  return visibleText(JSON.stringify(isLong ? `${text.slice(0, lengthMax)}...` : text))
}
