/** What stands in the form of a server that runs elsewhere, and what is made of it. Pure. */
import type { NewServer, ServerChange, ServerEntry } from '@usher/shared/api/server-entries.ts'
import { ELSEWHERE } from '../kit/texts.ts'

type HealthField = keyof NonNullable<ServerEntry['health']>
export type Field = 'name' | 'url' | 'weight' | 'capacity' | HealthField
/** As text; empty: as the settings say for all. */
export type Values = Readonly<Record<Field, string>>

export const HEALTH_FIELDS: readonly Field[] = [
  'path', 'status', 'interval', 'timeout', 'rise', 'fall'
] satisfies HealthField[]

export function newServerOf (values: Values): NewServer {
  return { name: values.name, ...changeOf(values), url: values.url }
}

/** Of each field what it is to be. */
export function changeOf (values: Values): ServerChange {
  const { url, path, status } = values
  return {
    url,
    weight: numberIn(values.weight),
    capacity: numberIn(values.capacity),
    health: {
      path: path === '' ? null : path,
      status: status === '' ? null : status,
      interval: numberIn(values.interval),
      timeout: numberIn(values.timeout),
      rise: numberIn(values.rise),
      fall: numberIn(values.fall)
    }
  }
}

export function valuesOf ({ name, url, weight, capacity, health }: ServerEntry): Values {
  const text = (value: string | number | null | undefined): string => String(value ?? '')
  return {
    name,
    url: text(url),
    weight: text(weight),
    capacity: text(capacity),
    path: text(health?.path),
    status: text(health?.status),
    interval: text(health?.interval),
    timeout: text(health?.timeout),
    rise: text(health?.rise),
    fall: text(health?.fall)
  }
}

/** The field that a refusal is about: `url is "x"`, `body/health/rise must be >= 1`. */
export function fieldOf (message: string): Field | undefined {
  const [, field] = /^(?:body\/)?(?:health[./])?([a-z]+)/i.exec(message) ?? []
  const fields: readonly string[] = ['name', 'url', 'weight', 'capacity', ...HEALTH_FIELDS]
  return fields.find(one => one === field?.toLowerCase()) as Field | undefined
}

/** What is said of the checks; nothing of what is as for all. */
export function healthText (health: ServerEntry['health']): string {
  const { path, status, interval, timeout, rise, fall } = health ?? {}
  const parts = [
    ...(path === null || path === undefined ? [] : [path]),
    ...(interval === null || interval === undefined ? [] : [ELSEWHERE.every(interval)]),
    ...(timeout === null || timeout === undefined ? [] : [ELSEWHERE.within(timeout)]),
    ...(status === null || status === undefined ? [] : [ELSEWHERE.status(status)]),
    ...(rise === null || rise === undefined ? [] : [ELSEWHERE.rise(rise)]),
    ...(fall === null || fall === undefined ? [] : [ELSEWHERE.fall(fall)])
  ]
  return parts.length === 0 ? ELSEWHERE.auto : parts.join(', ')
}

function numberIn (text: string): number | null {
  return text === '' ? null : Number(text)
}
