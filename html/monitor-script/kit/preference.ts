/**
 * Something that a person chooses for this browser: kept in its local storage, the same in all of
 * its tabs. A browser that keeps nothing takes the choice for this page only.
 */

/** What of a page is used here. */
export interface PreferencePage {
  /** Throws where storage is refused; so may what it gives. */
  readonly storage: () => Pick<Storage, 'getItem' | 'setItem'>
  readonly onStorage: (listener: (event: { readonly key: string | null }) => void) => void
  readonly dispatch: (event: string) => void
}

export interface PreferenceParts<Choice extends string> {
  readonly key: string
  /** The first one is the default. */
  readonly choices: readonly [Choice, ...Choice[]]
  readonly apply: (choice: Choice) => void
  readonly applied: () => Choice
  /** Dispatched on the document after each change. */
  readonly event: string
  readonly page?: PreferencePage
}

export class Preference<Choice extends string> {
  readonly #parts: PreferenceParts<Choice>
  readonly #page: PreferencePage

  constructor (parts: PreferenceParts<Choice>) {
    this.#parts = parts
    this.#page = parts.page ?? OWN_PAGE
  }

  get current (): Choice {
    return this.#parts.applied()
  }

  /** Applies what is kept, and follows what other tabs choose. Once a page. */
  start (): void {
    this.#applyKept()
    this.#page.onStorage(({ key }) => {
      // No key: everything was cleared.
      if (key === this.#parts.key || key === null) this.#applyKept()
    })
  }

  /** Undefined for a text that is not one of the choices. */
  choose (text: string): void {
    const choice = this.#parts.choices.find(one => one === text)
    if (choice === undefined) return
    this.#apply(choice)
    try {
      this.#page.storage().setItem(this.#parts.key, choice)
    } catch {
      // Refused, or full: the choice counts for this page only.
    }
  }

  #applyKept (): void {
    try {
      const kept = this.#page.storage().getItem(this.#parts.key)
      this.#apply(this.#parts.choices.find(choice => choice === kept) ?? this.#parts.choices[0])
    } catch {
      // Storage is refused: the choice still counts for this page.
    }
  }

  #apply (choice: Choice): void {
    if (choice === this.#parts.applied()) return
    this.#parts.apply(choice)
    this.#page.dispatch(this.#parts.event)
  }
}

const OWN_PAGE: PreferencePage = {
  storage: () => localStorage,
  onStorage: listener => { addEventListener('storage', listener) },
  dispatch: event => { document.dispatchEvent(new CustomEvent(event)) }
}
