/** The id in a ticket, unverified; undefined in what is no ticket. */
export function subjectOf (ticket: string | undefined): string | undefined {
  try {
    const payload = ticket!.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
    const { sub } = JSON.parse(atob(payload)) as { readonly sub: string }
    return /^[\da-f-]{36}$/.test(sub) ? sub : undefined
  } catch {
    return undefined
  }
}
