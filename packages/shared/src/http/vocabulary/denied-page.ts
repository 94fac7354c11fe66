/**
 * The page that a denied visitor sees: the template with who they are and when it was, so that they
 * can name both to the people who run the site. Pure.
 */
import { escapeHtml } from './escape-html.ts'

const VISITOR_TOKEN = '__VISITOR__'
const WHEN_TOKEN = '__WHEN__'

const DAY: Intl.DateTimeFormatOptions = {
  day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC'
}

/** The page; `visitor` is an id or an address in text form. */
export function renderDeniedPage (template: Buffer, visitor: string, when: Date): string {
  // One pass over the template: what is filled in is never searched for tokens.
  const fillings = new Map([
    [VISITOR_TOKEN, escapeHtml(visitor)],
    [WHEN_TOKEN, escapeHtml(formatWhen(when))]
  ])
  const tokens = new RegExp([...fillings.keys()].join('|'), 'g')
  return template.toString().replace(tokens, token => fillings.get(token)!)
}

/** As in `23 November 2026, 14:31 UTC`: a visitor's zone is not known here. */
function formatWhen (when: Date): string {
  // Made here, not with the thread: ICU reads all locales first, some 10 ms.
  const day = new Intl.DateTimeFormat('en-GB', DAY).format(when)
  return `${day}, ${when.toISOString().slice(11, 16)} UTC`
}
