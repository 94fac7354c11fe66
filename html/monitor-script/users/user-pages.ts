/**
 * The pages of a list that is too long to be held: those around the visible rows are fetched and
 * kept, the others dropped. Rows are known by their number: when users come or go between the
 * fetching of two pages, one may be in both, or in neither. Touches no page of the console.
 */
import type { User, Users } from '@usher/shared/api/users.ts'
import type { Answer } from '../kit/api.ts'
import { EVERYBODY, usersPath, type UsersQuery } from './users-page.ts'

export interface UserPagesParts {
  readonly get: (path: string) => Promise<Answer<Users>>
  /** More of the list is known. */
  readonly onChange: () => void
}

export const PAGE_USERS = 100
/** Pages kept, those nearest to what is looked at. */
const PAGES_KEPT_MAX = 20
/** Fast scrolling passes pages that are never seen: they are not all asked for. */
const PAGES_ASKED_MAX = 2

export class UserPages {
  readonly #parts: UserPagesParts
  #query: UsersQuery = EVERYBODY
  /** Answers to an earlier list are ignored, and so is one that a later `begin` has overtaken. */
  #listCount = 0
  #beginCount = 0
  #matched = 0
  #nodes: Users['nodes']
  #pages = new Map<number, readonly User[]>()
  readonly #asked = new Set<number>()
  /** What could not be had; asked for again when `retry` says so. */
  readonly #failed = new Set<number>()
  #wanted = { first: 0, end: 0 }

  constructor (parts: UserPagesParts) {
    this.#parts = parts
  }

  get query (): UsersQuery {
    return this.#query
  }

  /** How many there are in all. */
  get matched (): number {
    return this.#matched
  }

  /** Of a fleet's nodes, which have answered last. */
  get nodes (): Users['nodes'] {
    return this.#nodes
  }

  get loadedCount (): number {
    return [...this.#pages.values()].reduce((sum, { length }) => sum + length, 0)
  }

  get isLoading (): boolean {
    return this.#asked.size > 0
  }

  at (index: number): User | undefined {
    return this.#pages.get(Math.floor(index / PAGE_USERS))?.[index % PAGE_USERS]
  }

  /** Begins the list anew. False when that failed or was overtaken; then the old one stands. */
  async begin (query: UsersQuery): Promise<boolean> {
    const beginning = ++this.#beginCount
    const answer = await this.#parts.get(usersPath(query, 0, PAGE_USERS))
    if (beginning !== this.#beginCount || !answer.isOk) return false
    this.#listCount++
    this.#query = query
    this.#asked.clear()
    this.#failed.clear()
    this.#matched = answer.body.matched
    this.#nodes = answer.body.nodes
    this.#pages = new Map([[0, answer.body.users]])
    return true
  }

  /** These rows are looked at: what is missing of them is fetched. */
  want (first: number, end: number): void {
    this.#wanted = { first, end }
    this.#dropFar()
    this.#fetchMissing()
  }

  retry (): void {
    this.#failed.clear()
    this.#fetchMissing()
  }

  /** Fetches a row's page again: users who stayed are updated, and none changes place. */
  async renew (index: number): Promise<void> {
    const list = this.#listCount
    const page = Math.floor(index / PAGE_USERS)
    const answer = await this.#parts.get(usersPath(this.#query, page * PAGE_USERS, PAGE_USERS))
    if (list === this.#listCount && answer.isOk) this.update(answer.body.users)
  }

  /** Newer facts of users in the list. */
  update (users: readonly User[]): void {
    const newer = new Map(users.map(user => [user.id, user]))
    for (const [page, known] of this.#pages) {
      if (!known.some(({ id }) => newer.has(id))) continue
      this.#pages.set(page, known.map(user => newer.get(user.id) ?? user))
    }
    this.#parts.onChange()
  }

  /** The user of a row, fetched if need be; undefined when that failed or was overtaken. */
  async range (first: number, count: number): Promise<readonly User[] | undefined> {
    const users = Array.from({ length: count }, (_, at) => this.at(first + at))
    if (users.every(user => user !== undefined)) return users
    const list = this.#listCount
    const answer = await this.#parts.get(usersPath(this.#query, first, count))
    return list === this.#listCount && answer.isOk ? answer.body.users : undefined
  }

  #fetchMissing (): void {
    const last = Math.min(this.#wanted.end, this.#matched) - 1
    for (let page = this.#pageOf(this.#wanted.first); page <= this.#pageOf(last); page++) {
      if (this.#asked.size >= PAGES_ASKED_MAX) return
      if (this.#pages.has(page) || this.#asked.has(page) || this.#failed.has(page)) continue
      void this.#fetch(page)
    }
  }

  async #fetch (page: number): Promise<void> {
    const list = this.#listCount
    this.#asked.add(page)
    const answer = await this.#parts.get(usersPath(this.#query, page * PAGE_USERS, PAGE_USERS))
    if (list !== this.#listCount) return
    this.#asked.delete(page)
    if (answer.isOk) {
      this.#pages.set(page, answer.body.users)
      this.#matched = answer.body.matched
      this.#dropFar()
    } else {
      this.#failed.add(page)
    }
    this.#parts.onChange()
    this.#fetchMissing()
  }

  #dropFar (): void {
    const middle = this.#pageOf((this.#wanted.first + this.#wanted.end) / 2)
    const far = [...this.#pages.keys()]
      .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))
      .slice(PAGES_KEPT_MAX)
    for (const page of far) this.#pages.delete(page)
  }

  #pageOf (index: number): number {
    return Math.max(0, Math.floor(index / PAGE_USERS))
  }
}
