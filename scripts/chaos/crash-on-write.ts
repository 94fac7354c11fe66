/**
 * Intercepts a thread's writes to the user table, so that it can crash at any of them: views of the
 * buffer made from here on report each write made while the thread holds a lock. For the chaos run,
 * preloaded before the program's own code, which knows nothing of it.
 */
import { LOCK_WAIT } from '@usher/shared/memory/lock.ts'

type AnyAtomic = (words: object, ...rest: number[]) => number | string

const WRITES = ['store', 'add', 'exchange'] as const
const OTHERS = ['load', 'compareExchange', 'wait', 'notify'] as const

/**
 * @param owner the thread's lock word
 * @param onWrite called before each write, the release of the lock included
 */
export function interceptWrites (
  buffer: SharedArrayBuffer, owner: number, onWrite: () => void
): void {
  /** The real words behind those that were handed out: Atomics take no proxy. */
  const real = new WeakMap<object, Int32Array>()
  const { load, store, add, exchange, compareExchange, wait, notify } = Atomics
  const plain = {
    load, store, add, exchange, compareExchange, wait, notify
  } as unknown as Record<typeof WRITES[number] | typeof OTHERS[number], AnyAtomic>
  /** The lock word that the thread holds. */
  let heldAt: number | undefined

  function write (): void {
    if (heldAt !== undefined) onWrite()
  }

  function watched (words: Int32Array): Int32Array {
    const proxy = new Proxy(words, {
      get (target, name) {
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) as unknown : value
      },
      set (target, name, value) {
        write()
        return Reflect.set(target, name, value, target)
      }
    })
    real.set(proxy, words)
    return proxy
  }

  for (const name of WRITES) {
    Object.assign(Atomics, {
      [name] (given: object, ...rest: number[]) {
        const words = real.get(given)
        if (words === undefined) return plain[name](given, ...rest)
        write()
        const result = plain[name](words, ...rest)
        if (name === 'exchange' && rest[0] === heldAt) heldAt = undefined
        return result
      }
    })
  }
  for (const name of OTHERS) {
    Object.assign(Atomics, {
      [name] (given: object, ...rest: number[]) {
        const words = real.get(given)
        if (words === undefined) return plain[name](given, ...rest)
        const result = plain[name](words, ...rest)
        const [at, expected, value = 0] = rest
        const isMine = name === 'compareExchange' && expected === 0 && result === 0 &&
          (value & ~LOCK_WAIT) === owner
        if (isMine) heldAt = at
        return result
      }
    })
  }
  globalThis.Int32Array = new Proxy(Int32Array, {
    construct (target, args: unknown[], newTarget) {
      const words = Reflect.construct(target, args, newTarget) as Int32Array
      return args[0] === buffer ? watched(words) : words
    }
  })
}
