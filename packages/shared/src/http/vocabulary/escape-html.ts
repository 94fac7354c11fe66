/** Text as HTML that shows it. Pure. */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'
}

/** Fit for an element's content and for a quoted attribute. */
export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, character => ESCAPES[character]!)
}
