/**
 * A view of the user table whose thread "dies" before a chosen write to the shared memory: each
 * single store, add, exchange, sleep and wake-up is a step. Real views on the same memory stay as
 * they are, and production code knows nothing of it.
 */
import { viewTable, type TableMemory, type TableView, type ViewOptions } from '@usher/shared/memory/table-view.ts'

/** Thrown in place of the step at which the thread dies; nothing of it runs any more. */
export class Died extends Error {}

export interface Stepper {
  readonly view: TableView
  /** Steps so far. */
  steps: number
  /** The step that is not taken any more, counted from 1; Infinity to live. */
  dieAtStep: number
  /** Called in place of a sleep. */
  onSleep: () => void
  /** Gives Atomics back. */
  end (): void
}

const STEPS = ['store', 'add', 'exchange', 'compareExchange', 'notify', 'wait'] as const
type AnyAtomic = (words: Int32Array, ...rest: number[]) => number | string

export function steppedView (memory: TableMemory, options: ViewOptions): Stepper {
  const real = viewTable(memory, options)
  const plain = { ...atomics() }
  const words = new Proxy(real.words, {
    get (target, name) {
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
    set (target, name, value) {
      step()
      return Reflect.set(target, name, value, target)
    }
  })
  const stepper: Stepper = {
    view: { ...real, words },
    steps: 0,
    dieAtStep: Infinity,
    onSleep () {},
    end () { Object.assign(Atomics, plain) }
  }

  function step (): void {
    if (++stepper.steps >= stepper.dieAtStep) throw new Died()
  }

  /** Atomics take no proxy: for ours they get what is behind it. */
  function stepped (name: keyof typeof plain): AnyAtomic {
    return (given, ...rest) => {
      if (given !== words) return plain[name](given, ...rest)
      if (name !== 'load') step()
      if (name !== 'wait') return plain[name](real.words, ...rest)
      stepper.onSleep()
      return 'ok'
    }
  }
  for (const name of ['load', ...STEPS] as const) Object.assign(Atomics, { [name]: stepped(name) })
  return stepper
}

function atomics (): Record<'load' | typeof STEPS[number], AnyAtomic> {
  const { load, store, add, exchange, compareExchange, notify, wait } = Atomics
  return { load, store, add, exchange, compareExchange, notify, wait } as ReturnType<typeof atomics>
}
