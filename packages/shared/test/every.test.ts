import t from 'tap'
import { every } from '@usher/shared/every.ts'

t.test('every: does the work again and again until it is stopped', async t => {
  let count = 0
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => { clearInterval(alive) })
  await new Promise<void>(resolve => {
    const stop = every(1, () => {
      if (++count < 3) return
      stop()
      resolve()
    })
  })
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(count, 3)
})

t.test('every: keeps no thread alive', async t => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length
  const before = timers()
  const stop = every(1000, () => {})
  t.equal(timers(), before)
  stop()
})
