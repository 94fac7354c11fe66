/**
 * What a page sees of Usher: `window.usher`. Owns the listeners and the shape of that object; the
 * beating is in `presence.ts`, the message after a denial in `denied.ts`. Runs in the browser.
 */
import { showDenied } from './denied-notice.ts'
import { startPresence, type Browser, type Chance } from './presence.ts'

/** What the server fills in; a number is NaN when it did not. */
export interface Told {
  /** Without a slash at its end; empty where its port under the page's own host name is meant. */
  readonly routerUrl: string
  readonly routingPort: number
  readonly timeoutThresholdMs: number
}

/** Each event by name, with what its listeners are given. */
export interface UsherEvents {
  /** The server answered a beat, of this tab or of another one of the same visitor. */
  beat: { readonly activeUsers: number }
  /** The server did not answer; the next try comes by itself. */
  missed: undefined
  /** An operator has ended the visit. The page has been replaced, and no beat follows. */
  denied: undefined
  /** The server is being emptied: the page is about to be loaded again from another one. */
  moved: undefined
}

export interface Usher {
  /**
   * Calls the listener at each such event. One that listens for beats late is told the last beat at
   * once. The function returned ends it.
   */
  on <Name extends keyof UsherEvents> (
    event: Name, listener: (detail: UsherEvents[Name]) => void
  ): () => void
  /** Signs the visitor off and stops beating; a page that closes does this by itself. */
  leave (): void
  /** The router's address; `/` when the server did not fill in a port. */
  readonly frontDoor: string
}

declare global {
  interface Window { usher?: Usher }
}

export type Page = Browser & {
  readonly document: Document
  readonly location: Pick<Location,
    'protocol' | 'hostname' | 'pathname' | 'search' | 'hash' | 'replace'>
}

/** Starts beating and returns what is to become `window.usher`. */
export function startUsher (page: Page, chance: Chance, told: Told): Usher {
  const listenersByEvent: { [Name in keyof UsherEvents]: Set<Listener<Name>> } = {
    beat: new Set(), missed: new Set(), denied: new Set(), moved: new Set()
  }
  const door = frontDoor(page.location, told)
  let lastBeat: UsherEvents['beat'] | undefined

  const leave = startPresence(page, chance, told.timeoutThresholdMs, {
    beat (activeUsers) {
      lastBeat = { activeUsers }
      tell(listenersByEvent.beat, lastBeat)
    },
    missed: () => tell(listenersByEvent.missed, undefined),
    denied () {
      showDenied(page.document)
      tell(listenersByEvent.denied, undefined)
    },
    moved () {
      tell(listenersByEvent.moved, undefined)
      const { pathname, search, hash } = page.location
      // In a task after the listeners', who may have something to save.
      const path = pathname.replace(/^\/+/, '')
      page.setTimeout(() => page.location.replace(door + path + search + hash), 0)
    }
  })

  return {
    on (event, listener) {
      listenersByEvent[event].add(listener)
      // The script that listens may arrive after the first answer.
      if (event === 'beat' && lastBeat) tell([listener as Listener<'beat'>], lastBeat)
      return () => listenersByEvent[event].delete(listener)
    },
    leave,
    frontDoor: door
  }
}

type Listener<Name extends keyof UsherEvents> = (detail: UsherEvents[Name]) => void

/** Each listener in a task of its own: one that throws is reported and stops no other. */
function tell<Detail> (listeners: Iterable<(detail: Detail) => void>, detail: Detail): void {
  for (const listener of listeners) queueMicrotask(() => listener(detail))
}

function frontDoor (location: Page['location'], { routerUrl, routingPort }: Told): string {
  if (routerUrl.startsWith('http')) return `${routerUrl}/`
  return routingPort > 0 ? `${location.protocol}//${location.hostname}:${routingPort}/` : '/'
}
