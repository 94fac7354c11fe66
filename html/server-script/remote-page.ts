/**
 * The page as the page script sees it where another program serves it: beats and leaves go to the
 * router, for the server that the page names, and carry the visitor's id themselves, because
 * cookies do not travel between sites. Owns what the router has said of the server. Runs in the
 * browser; everything it touches there is passed in.
 */
import type { Answer } from '../page-script/presence.ts'
import type { Page } from '../page-script/usher.ts'
import type { KeptId } from './kept-id.ts'
import { offerFrontDoor, takeOfferBack } from './offer.ts'

export interface Remote {
  /** The router's address, without a slash at its end. */
  readonly door: string
  /** What the router calls the server. */
  readonly server: string
  /** What a redirect has brought: proof that the id in it is this browser's. */
  readonly ticket: string | undefined
  readonly id: KeptId
  /** Told, once, why the page can take no part. */
  readonly onMistake: (reason: string) => void
}

interface Refusal {
  readonly error?: string
  readonly message?: string
}

export function remotePage (page: Page, remote: Remote): Page {
  const { document, location, navigator, BroadcastChannel } = page
  const { door, server, id } = remote
  let { ticket } = remote
  /** Where the server's own paths begin. */
  let base = ''
  let isMistaken = false
  /** The router has not seen the visitor open this page: until then each beat brings them in. */
  let isIn = false

  /** As the router knows it. */
  function pathname (): string {
    const { pathname } = location
    return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname
  }

  /** @param path of a beat or a leave, with its query */
  function urlOf (path: string): string {
    const client = id.value ? `&client_id=${id.value}` : ''
    const query = `server=${encodeURIComponent(server)}${client}`
    return `${door}${path}${path.includes('?') ? '&' : '?'}${query}`
  }

  function ask (path: string, options: RequestInit): Promise<Answer> {
    return page.fetch(urlOf(path), { ...options, credentials: 'include' })
  }

  async function beat (options: RequestInit): Promise<Answer> {
    const path = ticket ? `/heartbeat?ticket=${ticket}` : '/heartbeat'
    ticket = undefined
    const answer = await ask(path, isIn ? options : { ...options, method: 'POST' })
    const { ok, status, headers } = answer
    isIn ||= ok
    const refusal = ok ? {} : await answer.json().catch(() => ({})) as Refusal
    const { error = '' } = refusal
    if (error.startsWith('ticket_')) {
      // It may be another's: somebody has passed on the address with the ticket in it.
      id.goBack()
      return beat(options)
    }
    if (error === 'unknown_server') {
      isMistaken = true
      remote.onMistake(String(refusal.message))
      return never
    }
    base = headers.get('X-Usher-Base') ?? base
    id.take(headers.get('X-Usher-Client'))
    if (error === 'down' || error === 'draining') {
      offerFrontDoor(document, door + pathname() + location.search + location.hash)
    } else takeOfferBack(document)
    return { ok, status, headers, json: () => Promise.resolve(refusal) }
  }

  return changed(page, {
    location: changed(location, { get pathname () { return pathname() } }),
    navigator: changed(navigator, {
      sendBeacon: path => isMistaken || (navigator.sendBeacon?.(urlOf(path)) ?? false)
    }),
    ...(BroadcastChannel && {
      BroadcastChannel: class extends BroadcastChannel {
        constructor (name: string) {
          super(`${name} ${server}`)
        }
      }
    }),
    fetch (path, options) {
      if (isMistaken) return never
      return path === '/heartbeat' ? beat(options) : ask(path, options)
    }
  })
}

const never = new Promise<never>(() => {})

/** The same object but for some of its members. */
function changed<T extends object> (object: T, members: Partial<T>): T {
  return new Proxy(members as T, {
    get (_, name) {
      const from = name in members ? members : object
      const member: unknown = Reflect.get(from, name)
      return typeof member === 'function' && from === object ? member.bind(object) : member
    }
  })
}
