import t from 'tap'
import { startInterval } from '@usher/shared/interval.ts'

t.test('interval: does the work again and again until it is stopped', async t => {
  let count = 0
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => { clearInterval(alive) })
  await new Promise<void>(resolve => {
    const stop = startInterval(1, () => {
      if (++count < 3) return
      stop()
      resolve()
    })
  })
  let later = 0
  await new Promise<void>(resolve => {
    const stop = startInterval(1, () => {
      if (++later < 5) return
      stop()
      resolve()
    })
  })
  t.equal(count, 3, 'while another goes on')
})

t.test('interval: keeps no thread alive', async t => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length
  const before = timers()
  const stop = startInterval(1000, () => {})
  t.equal(timers(), before)
  stop()
})
