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

/** As it is read back. @param atMs wall-clock milliseconds since 1970 */
export interface AuditRecord extends AuditEvent {
  readonly atMs: number
}
