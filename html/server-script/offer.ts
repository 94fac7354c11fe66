/**
 * The way to the front door, on a page whose server takes no visitors for now. In the page's own
 * look: no style of its own, so that any policy allows it; a site may dress the class
 * `usher-closed`.
 */
const CLASS = 'usher-closed'

export function offerFrontDoor (document: Document, href: string): void {
  if (document.querySelector(`.${CLASS}`)) return
  const link = document.createElement('a')
  link.href = href
  link.append('Back to the front door')
  const offer = document.createElement('p')
  offer.className = CLASS
  offer.lang = 'en'
  // A screen reader says it without going there.
  offer.role = 'status'
  offer.append('This server takes no visitors right now. ', link)
  document.body.prepend(offer)
}

export function takeOfferBack (document: Document): void {
  document.querySelector(`.${CLASS}`)?.remove()
}
