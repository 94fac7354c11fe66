/** Which view is shown: the address names it, so that the back button and a bookmark work. */
import { find } from './dom.ts'
import { OVERVIEW } from './texts.ts'

const VIEWS = ['overview', 'users', 'servers', 'denied', 'audit', 'account'] as const
export type View = typeof VIEWS[number]

/** @param onShow told of the view that is shown, now and whenever it changes */
export function startNavigation (onShow: (view: View) => void): void {
  const show = (isByHand: boolean): void => {
    const view = viewOf(location.hash)
    for (const each of VIEWS) find(`view-${each}`).hidden = each !== view
    for (const link of document.querySelectorAll('.rail a')) {
      if (link.getAttribute('href') === `#${view}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    const title = find(`title-${view}`)
    document.title = OVERVIEW.title(title.textContent)
    if (isByHand) {
      // What had the focus may be gone; a screen reader reads the new heading.
      title.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    onShow(view)
  }
  addEventListener('hashchange', () => {
    // The skip link leads to the content of the view that is shown.
    if (location.hash !== '#main') show(true)
  })
  show(false)
}

/** The overview for anything that is no view. */
export function viewOf (hash: string): View {
  return VIEWS.find(view => hash === `#${view}`) ?? 'overview'
}
