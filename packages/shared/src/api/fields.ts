/**
 * The pieces that the schemas of the wire are made of, and the type that a schema stands for. A
 * field is there unless it is `optional`; an object has no other fields than those it names. Used
 * by the monitor's thread; the console takes nothing but types from this folder.
 */
import {
  Type, type Static, type TObject, type TObjectOptions, type TProperties, type TSchema,
  type TSchemaOptions, type TUnsafe
} from 'typebox'

import { FLEET_WORD, SERVER_NAME } from '../settings/server-kinds.ts'

/** What a schema describes, for reading only. */
export type Wire<S extends TSchema> = DeepReadonly<Static<S>>

export type DeepReadonly<T> = T extends ReadonlyArray<infer Item>
  ? ReadonlyArray<DeepReadonly<Item>>
  : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T

export const optional = Type.Optional

export const text = Type.String()
export const flag = Type.Boolean()
export const time = Type.String({ format: 'date-time' })
export const count = Type.Integer({ minimum: 0 })
export const figure = Type.Number({ minimum: 0 })
export const integer = Type.Integer()
export const serverName = Type.String({ pattern: SERVER_NAME.source })
export const nodeName = Type.String({ pattern: FLEET_WORD.source })
/** NODE/NAME, or NAME of a server of this node. */
export const fleetServerName = Type.String({
  pattern: `^(${unanchored(FLEET_WORD)}/)?${unanchored(SERVER_NAME)}$`
})

function unanchored ({ source }: RegExp): string {
  return source.slice(1, -1)
}

/** A whole number in a query, which is text. */
export const countText = Type.String({ pattern: '^\\d{1,7}$' })

/** An object of exactly these fields. */
export function objectOf<P extends TProperties> (
  properties: P, options: TObjectOptions = {}
): TObject<P> {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

export function listOf<S extends TSchema> (items: S, options: { maxItems?: number } = {}) {
  return Type.Array(items, options)
}

/** One of these words. */
export function oneOf<const Words extends readonly string[]> (
  words: Words, options: TSchemaOptions = {}
): TUnsafe<Words[number]> {
  return Type.Unsafe<Words[number]>({ ...options, type: 'string', enum: [...words] })
}

/** By names that are not known beforehand. */
export function byName<S extends TSchema> (value: S): TUnsafe<Record<string, Static<S>>> {
  return Type.Unsafe<Record<string, Static<S>>>({ type: 'object', additionalProperties: value })
}

/** As a list of types: `anyOf` would have each value tried by every branch. */
export function nullable<S extends TSchema & { readonly type: string }> (
  schema: S
): TUnsafe<Static<S> | null> {
  return Type.Unsafe<Static<S> | null>({ ...schema, type: [schema.type, 'null'] })
}
