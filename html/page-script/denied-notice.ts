/**
 * Replaces the page when its visitor has been denied: a text in place of everything, in the page's
 * own look. Built from text nodes only, with no style of its own, so that any policy allows it; a
 * site may dress the class `usher-denied`.
 */
export function showDenied (document: Document): void {
  const heading = textElement(document, 'h1', 'Your access has ended.')
  const main = document.createElement('main')
  main.className = 'usher-denied'
  main.lang = 'en'
  main.append(heading, textElement(document, 'p',
    'The people who run this site have ended your access to it. If you think this is a mistake, ' +
    'contact them. Reload this page to see the visitor id to give them.'))
  document.title = 'Access ended'
  document.body.replaceChildren(main)
  // A screen reader reads what has the focus; the element that had it is gone.
  heading.tabIndex = -1
  heading.focus()
}

function textElement (document: Document, name: 'h1' | 'p', text: string): HTMLElement {
  const element = document.createElement(name)
  element.append(text)
  return element
}
