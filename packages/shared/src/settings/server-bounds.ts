/** What settings and console allow of a server, in one place for both. */
import { USERS_MAX } from '../memory/layout.ts'

export const WEIGHT_MAX = 1000
/** As many as the largest user table has room for. */
export const CAPACITY_MAX = USERS_MAX

export const HEALTH_BOUNDS = {
  intervalS: { min: 0.1, max: 3600 },
  timeoutS: { min: 0.05, max: 10 },
  /** Good or failed checks. */
  inARowMax: 100
} as const
