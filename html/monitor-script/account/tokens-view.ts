/**
 * The tokens of programs: the form that makes one, the new one, which is shown this once, and the
 * list of all with the button that revokes. For administrators.
 */
import type { MadeToken, NewToken, Scope, TokenEntry, TokenList } from '@usher/shared/api/tokens.ts'
import type { Answer } from '../kit/api.ts'
import { offerCopy } from '../kit/clipboard.ts'
import { find, make, makeCell, makeMono, makeRow, setText } from '../kit/dom.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { ago, TOKENS } from '../kit/texts.ts'
import { TIMES_CHANGE } from '../kit/times.ts'
import { refusalText, takeOver, type Submitted } from '../kit/json-form.ts'

export interface TokensViewParts {
  readonly get: (path: string) => Promise<Answer<TokenList>>
  readonly post: <T>(path: string, body: object) => Promise<Answer<T>>
  readonly revoke: (token: TokenEntry) => void
}

/** From then on the end is said in words that stand out. */
const SOON_MS = 14 * 86_400_000

export class TokensView {
  readonly #parts: TokensViewParts
  readonly #rows: KeyedRows<TokenEntry>
  #tokens: readonly TokenEntry[] = []
  #canAct = false
  #isShown = false

  constructor (parts: TokensViewParts) {
    this.#parts = parts
    this.#rows = new KeyedRows({
      body: find('tokens'),
      keyOf: ({ id }) => `${id}`,
      shownBy: ({ id, in_force: inForce }) => JSON.stringify([id, inForce]),
      make: token => this.#makeRow(token),
      focusOtherwise: find('title-tokens')
    })
    offerCopy(find('copy-token'), find('token-text'))
    find('hide-token').addEventListener('click', () => {
      this.#forget()
      find('title-tokens').focus()
    })
    document.addEventListener(TIMES_CHANGE, () => { this.tick(Date.now()) })
    const boxes = scopeBoxes()
    for (const box of boxes) box.addEventListener('change', () => { requireOne(boxes) })
    takeOver(find<HTMLFormElement>('token-form'), () => this.#make(boxes))
  }

  allowActions (): void {
    this.#canAct = true
    if (this.#isShown) void this.load()
  }

  /** A token that was shown is gone when the view is left. */
  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (!isShown) this.#forget()
    if (isShown) void this.load()
  }

  /** The ages that are shown grow while nothing else changes; the rows stay, with the focus. */
  tick (nowMs: number): void {
    if (!this.#isShown) return
    for (const [at, row] of [...find('tokens').children].entries()) {
      const token = this.#tokens[at]!
      const isSoon = Date.parse(token.expires) - nowMs < SOON_MS
      row.querySelector('.c-until')!.classList.toggle('soon', isSoon)
      setText(row.querySelector('.c-until')!, endText(token, nowMs))
      setText(row.querySelector('.c-used span')!, usedText(token, nowMs))
      setText(row.querySelector('.c-used .mono')!, token.last_address ?? '')
    }
  }

  async load (): Promise<void> {
    if (!this.#canAct) return
    const answer = await this.#parts.get('/tokens')
    if (!answer.isOk) return
    this.#tokens = answer.body.tokens
    this.#show()
  }

  #show (): void {
    find('tokens-table').hidden = this.#tokens.length === 0
    this.#rows.show(this.#tokens)
    this.tick(Date.now())
  }

  async #make (boxes: readonly HTMLInputElement[]): Promise<Submitted> {
    const name = find<HTMLInputElement>('token-name')
    const wanted: NewToken = {
      name: name.value.trim(),
      scopes: boxes.filter(({ checked }) => checked).map(({ value }) => value as Scope),
      days: Number(find<HTMLSelectElement>('token-days').value)
    }
    const answer = await this.#parts.post<MadeToken>('/tokens', wanted)
    if (!answer.isOk) return { field: name.id, text: refusalText(answer) }
    name.value = ''
    this.#showMade(answer.body)
    await this.load()
    return 'done'
  }

  #showMade ({ token, name, expires }: MadeToken): void {
    find('token-made').hidden = false
    setText(find('token-text'), token)
    setText(find('token-made-text'), TOKENS.madeText(name, Date.parse(expires), Date.now()))
    find('copy-token').focus()
  }

  #forget (): void {
    find('token-made').hidden = true
    setText(find('token-text'), '')
  }

  #makeRow (token: TokenEntry): HTMLElement {
    return makeRow(
      makeCell('c-name', make('b', '', token.name)),
      makeCell('c-may wrap', ...scopeTags(token)),
      labelled(TOKENS.madeBy, makeCell('c-by', token.made_by)),
      labelled(TOKENS.validUntil, makeCell('c-until')),
      labelled(TOKENS.lastUsed, makeCell('c-used', make('span', ''), ' ', makeMono(''))),
      makeCell('act', this.#makeRevokeButton(token)))
  }

  #makeRevokeButton (token: TokenEntry): HTMLElement {
    const button = make('button', 'btn small', TOKENS.revoke)
    button.type = 'button'
    button.setAttribute('aria-label', TOKENS.revokeLabel(token.name))
    button.addEventListener('click', () => { this.#parts.revoke(token) })
    return button
  }
}

function scopeBoxes (): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>('#token-form input[name="scope"]')]
}

/** The browser says it at the first of them, and sends nothing. */
function requireOne (boxes: readonly HTMLInputElement[]): void {
  boxes[0]!.setCustomValidity(boxes.some(({ checked }) => checked) ? '' : TOKENS.chooseOne)
}

/** On a phone, where the head of the table is not seen. */
function labelled (label: string, cell: HTMLElement): HTMLElement {
  cell.dataset['label'] = label
  return cell
}

/** Those that the maker may no longer do are struck through. */
function scopeTags (
  { scopes, in_force: inForce, made_by: maker, expires }: TokenEntry
): HTMLElement[] {
  const isOver = Date.parse(expires) <= Date.now()
  return scopes.map(scope => {
    const isOff = !isOver && !inForce.includes(scope)
    const tag = make('span', isOff ? 'tag off' : 'tag', TOKENS.scope(scope))
    if (isOff) tag.title = TOKENS.notInForce(maker)
    return tag
  })
}

function endText ({ expires }: TokenEntry, nowMs: number): string {
  const atMs = Date.parse(expires)
  return atMs > nowMs && atMs - nowMs < SOON_MS
    ? TOKENS.expiresSoon(atMs, nowMs)
    : TOKENS.expires(atMs, nowMs)
}

function usedText ({ last_used: used }: TokenEntry, nowMs: number): string {
  return used === null ? TOKENS.neverUsed : ago(Date.parse(used), nowMs)
}
