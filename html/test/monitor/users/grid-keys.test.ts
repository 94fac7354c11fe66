/** Where the keys lead, at both ends, too. */
import t from 'tap'
import { keyMove } from '../../../monitor-script/users/grid-keys.ts'

t.test('grid keys: lead to the next, a page on, to the ends, and no further', async t => {
  const check = (key: string, from: number, to: number | undefined): void => {
    t.equal(keyMove(key, from, 100, 20), to, `${key} from ${from}`)
  }
  check('ArrowDown', 5, 6)
  check('ArrowDown', 99, 99)
  check('ArrowUp', 5, 4)
  check('ArrowUp', 0, 0)
  check('PageDown', 5, 25)
  check('PageDown', 95, 99)
  check('PageUp', 5, 0)
  check('Home', 50, 0)
  check('End', 50, 99)
  check('x', 50, undefined)
  t.equal(keyMove('End', 0, 0, 20), undefined, 'there is no row')
})
