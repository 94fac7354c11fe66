/**
 * The monitor's Fastify with the types of the wire: what a route is asked and answers has the types
 * of its schemas, so that a route that forgets a field does not compile. Types only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type {
  FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault
} from 'fastify'
import type { TSchema } from 'typebox'
import type { Wire } from '@usher/shared/api/fields.ts'

type WireOf<Schema> = Schema extends TSchema ? Wire<Schema> : unknown

interface WireTypes extends FastifyTypeProvider {
  readonly validator: WireOf<this['schema']>
  readonly serializer: WireOf<this['schema']>
}

export type WireApp = FastifyInstance<
  RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, WireTypes
>
