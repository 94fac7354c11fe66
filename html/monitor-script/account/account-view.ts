/** The own account: appearance and times, the password, and the account's sessions. */
import type { UserInfo } from '@usher/shared/api/account.ts'
import type { Session, SessionList } from '@usher/shared/api/sessions.ts'
import { THEME_CHANGE, theme } from '../kit/appearance.ts'
import type { Answer, Failure } from '../kit/api.ts'
import { browserName } from '../kit/browser-name.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from '../kit/dom.ts'
import { takeOver } from '../kit/json-form.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { changePassword } from './password-change.ts'
import type { Preference } from '../kit/preference.ts'
import { ACCOUNT, ago } from '../kit/texts.ts'
import { times, TIMES_CHANGE } from '../kit/times.ts'

export interface AccountViewParts {
  readonly get: (path: string) => Promise<Answer<SessionList>>
  readonly post: (path: string, body: object) => Promise<Answer<unknown>>
  readonly sayDone: (text: string) => void
  readonly sayFailed: (failure: Failure) => void
}

/** The session has expired, or was ended elsewhere. */
const NOT_FOUND = 404

export class AccountView {
  readonly #parts: AccountViewParts
  readonly #rows: KeyedRows<Session>
  #timesSeen: ReadonlyArray<{ cell: Element, session: Session }> = []
  #isShown = false

  constructor (parts: AccountViewParts) {
    this.#parts = parts
    this.#rows = new KeyedRows({
      body: find('sessions'),
      keyOf: ({ id }) => id,
      shownBy: ({ id, user_agent: userAgent, address, current }) =>
        JSON.stringify([id, userAgent, address, current]),
      make: session => this.#makeRow(session),
      focusOtherwise: find('title-sessions')
    })
    offer('theme', theme, THEME_CHANGE)
    offer('times', times, TIMES_CHANGE)
    this.#takeOverPassword()
  }

  showWho ({ username, permission, can_disconnect: canDisconnect }: UserInfo): void {
    setText(find('account-name'), username)
    setText(find('account-may'), ACCOUNT.may(permission, canDisconnect))
    // A password manager files the new password under the name that is in the form.
    find<HTMLInputElement>('account-username').value = username
  }

  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (!isShown) setText(find('password-said'), ACCOUNT.beforeChange)
    if (isShown) void this.load()
  }

  /** The ages that are shown grow while nothing else changes. */
  tick (nowMs: number): void {
    if (!this.#isShown) return
    for (const { cell, session } of this.#timesSeen) setText(cell, seenText(session, nowMs))
  }

  async load (): Promise<void> {
    const answer = await this.#parts.get('/sessions')
    if (!answer.isOk) return
    const { sessions } = answer.body
    this.#rows.show(sessions)
    const cells = [...find('sessions').querySelectorAll('.c-l')]
    this.#timesSeen = sessions.map((session, at) => ({ cell: cells[at]!, session }))
    this.tick(Date.now())
  }

  #makeRow (session: Session): HTMLElement {
    const { user_agent: userAgent, address, current } = session
    const browser = browserName(userAgent)
    return makeRow(
      makeCell('c-b', browser,
        ...(current ? [' ', make('span', 'tag you', ACCOUNT.thisOne)] : [])),
      makeCell('c-a', makeMono(address)),
      makeCell('c-l', seenText(session, Date.now())),
      makeCell('act', ...(current ? [] : [this.#makeEndButton(session, browser)])))
  }

  #makeEndButton ({ id, address }: Session, browser: string): HTMLElement {
    const button = make('button', 'btn small', ACCOUNT.end)
    button.type = 'button'
    button.setAttribute('aria-label', ACCOUNT.endLabel(browser, address))
    button.addEventListener('click', () => { void this.#end(id, browser) })
    return button
  }

  async #end (id: string, browser: string): Promise<void> {
    const answer = await this.#parts.post('/sessions/end', { id })
    if (answer.isOk || answer.status === NOT_FOUND) this.#parts.sayDone(ACCOUNT.ended(browser))
    else this.#parts.sayFailed(answer)
    await this.load()
  }

  #takeOverPassword (): void {
    const form = find<HTMLFormElement>('password-form')
    const [current, next] = ['current-password', 'new-password'].map(id =>
      find<HTMLInputElement>(id)) as [HTMLInputElement, HTMLInputElement]
    takeOver(form, async () => {
      setText(find('password-said'), ACCOUNT.beforeChange)
      const complaint = await changePassword(this.#parts.post, current, next)
      if (complaint !== undefined) return complaint
      current.value = ''
      next.value = ''
      setText(find('password-said'), ACCOUNT.changed)
      void this.load()
      return 'done'
    })
  }
}

/** A switch that shows the choice in force, also when another tab made it. */
function offer<Choice extends string> (
  name: string, preference: Preference<Choice>, changeEvent: string
): void {
  const radios = document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)
  const show = (): void => {
    for (const radio of radios) radio.checked = radio.value === preference.current
  }
  for (const radio of radios) {
    radio.addEventListener('change', () => { preference.choose(radio.value) })
  }
  document.addEventListener(changeEvent, show)
  show()
}

/** The page itself is a use of this session, by its stream. */
function seenText ({ current, last_seen: lastSeen }: Session, nowMs: number): string {
  return current ? ago(nowMs, nowMs) : ago(Date.parse(lastSeen), nowMs)
}
