/** `/healthz`, `/readyz`, `/metrics` and `/openapi.json`: what programs ask of the monitor. */
import { Type } from 'typebox'
import { objectOf, text } from './fields.ts'

export const Status = objectOf({ status: text }, { description: 'Healthy, or ready' })

export const PROMETHEUS_TYPE = 'text/plain'
export const Metrics = Type.String({ description: 'Metrics as Prometheus reads them' })

export const OpenApiDocument = Type.Unsafe<object>({
  type: 'object',
  description: 'This document',
  required: ['openapi', 'info', 'paths'],
  additionalProperties: true
})
