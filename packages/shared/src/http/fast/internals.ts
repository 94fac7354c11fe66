/**
 * Parts of Node that are not public. Whoever takes one does without it where it is missing.
 */

/** Undefined where this Node has no part of that name, or gives none: its permission model. */
export function internals<T> (name: string): Partial<T> | undefined {
  try {
    // eslint-disable-next-line n/no-deprecated-api -- there is no other way to a handle's requests
    return (process as { binding?: (name: string) => Partial<T> }).binding?.(name)
  } catch {
    return undefined
  }
}
