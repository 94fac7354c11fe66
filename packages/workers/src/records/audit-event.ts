/** What the audit says of one deed. Values only; the monitor's thread. */

/** An entry of the audit. */
export interface AuditEvent {
  /** An account's name, or what was given as one. */
  readonly who: string
  readonly action: string
  readonly target?: string | undefined
  readonly detail?: Readonly<Record<string, unknown>> | undefined
  readonly address: string
}

/** As it is read back. */
export interface AuditRecord extends AuditEvent {
  /** Wall-clock milliseconds since 1970. */
  readonly atMs: number
  /** In a fleet: where it was done. */
  readonly node?: string
}
