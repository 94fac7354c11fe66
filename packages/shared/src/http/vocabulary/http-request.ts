/**
 * The request value that doors make. What handlers ask of its head again and again is worked out
 * when it is first asked for and remembered, for a connection's requests are mostly the same bytes.
 */
import type { Address, Client } from '../../client.ts'
import { countEffect } from './counting.ts'
import type { RequestSource } from './forwarded.ts'
import { cookieClient } from './identity.ts'
import type { CountEffect, RequestFields, RequestValue } from './values.ts'

export class HttpRequest implements RequestValue {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: RequestFields
  readonly body: Buffer
  readonly isSecure: boolean
  readonly authority: string | undefined
  readonly address: Address
  /** Null: named by nobody; undefined: not looked for yet. */
  #cookieClient: Client | null | undefined
  #countEffect: CountEffect | undefined

  constructor (
    method: string, path: string, query: string, headers: RequestFields, body: Buffer,
    { isSecure, authority, address }: RequestSource
  ) {
    this.method = method
    this.path = path
    this.query = query
    this.headers = headers
    this.body = body
    this.isSecure = isSecure
    this.authority = authority
    this.address = address
  }

  get cookieClient (): Client | undefined {
    if (this.#cookieClient === undefined) {
      this.#cookieClient = cookieClient(this.headers) ?? null
    }
    return this.#cookieClient ?? undefined
  }

  get countEffect (): CountEffect {
    this.#countEffect ??= countEffect(this)
    return this.#countEffect
  }
}
