/** The crowd's part of the page: what its buttons do and what its bars show; plain objects. */
import t from 'tap'
import type { CrowdState } from '../room-script/crowd.ts'
import { showCrowd, type CrowdDocument } from '../room-script/crowd-view.ts'

class FakeNode {
  textContent = ''
  className = ''
  hidden = true
  hasFocus = false
  children: Array<FakeNode | string> = []
  readonly attributes = new Map<string, string>()
  #click = (): void => {}

  append (...children: Array<FakeNode | string>): void {
    this.children.push(...children)
  }

  replaceChildren (...children: FakeNode[]): void {
    this.children = children
  }

  setAttribute (name: string, value: string): void {
    this.attributes.set(name, value)
  }

  addEventListener (_type: string, listener: () => void): void {
    this.#click = listener
  }

  focus (): void {
    this.hasFocus = true
  }

  click (): void {
    this.#click()
  }

  get text (): string {
    return this.textContent + this.children.map(child => typeof child === 'string' ? child : child.text).join('')
  }
}

const IDS = ['crowding', 'bring-in', 'send-home', 'spread', 'rooms', 'rooms-title', 'rooms-list']
const STATE: CrowdState = { guestCount: 0, canBringIn: true, rooms: undefined, sentence: '' }

function testPage (without: readonly string[] = []) {
  const ids = IDS.filter(id => !without.includes(id))
  const byId = new Map(ids.map(id => [id, new FakeNode()]))
  const calls: string[] = []
  const owns: number[] = []
  const document = {
    activeElement: null as FakeNode | null,
    getElementById: (id: string) => byId.get(id) ?? null,
    createElement: () => new FakeNode(),
    createElementNS: () => new FakeNode()
  }
  let show: ((state: CrowdState) => void) | undefined
  const crowd = showCrowd(
    document as unknown as CrowdDocument, '8001', count => owns.push(count), showState => {
      show = showState
      return {
        bringIn: async () => { calls.push('bring in') },
        sendHome: () => { calls.push('send home') },
        look () {}
      }
    })
  const list = byId.get('rooms-list')
  return {
    crowd,
    calls,
    owns,
    document,
    node: (id: string) => byId.get(id)!,
    show: (changes: Partial<CrowdState>) => show?.({ ...STATE, ...changes }),
    rows: () => list!.children as FakeNode[],
    widths: () => (list!.children as FakeNode[])
      .map(row => ((row.children[1] as FakeNode).children[0] as FakeNode).attributes.get('width'))
  }
}

const rooms = (...counts: number[]) =>
  counts.map((peopleCount, index) => ({ port: 8000 + index, peopleCount }))

t.test('crowd view: appears with its buttons, which do what they say', async t => {
  const page = testPage()
  t.equal(page.node('crowding').hidden, false)
  t.equal(page.node('rooms').hidden, true, 'no figure before something is counted')
  page.node('bring-in').click()
  page.node('send-home').click()
  t.strictSame(page.calls, ['bring in', 'send home'])
  page.show({ guestCount: 30, canBringIn: false, sentence: 'They came.' })
  t.equal(page.node('bring-in').attributes.get('aria-disabled'), 'true')
  t.equal(page.node('send-home').hidden, false)
  t.equal(page.node('spread').textContent, 'They came.')
  page.show({})
  t.equal(page.node('bring-in').attributes.get('aria-disabled'), 'false')
  t.equal(page.node('send-home').hidden, true)
})

t.test('crowd view: the focus goes to the other button when its own one goes', async t => {
  const page = testPage()
  page.show({ guestCount: 30 })
  page.show({})
  t.equal(page.node('bring-in').hasFocus, false)
  page.show({ guestCount: 30 })
  page.document.activeElement = page.node('send-home')
  page.show({})
  t.equal(page.node('bring-in').hasFocus, true)
})

t.test('crowd view: a row for every server, with its bar, number and colour', async t => {
  const page = testPage()
  page.show({ rooms: rooms(15, 30, 0, 3000) })
  t.equal(page.node('rooms').hidden, false)
  t.equal(page.node('rooms-title').textContent, 'The four rooms')
  t.strictSame(page.rows().map(row => row.text), [
    'Server 800015', 'Server 8001 you30', 'Server 80020', 'Server 80033,000'
  ])
  t.strictSame(page.widths(), ['0.39', '0.78', '0.00', '78.13'], 'of 3,840')
  t.strictSame(page.rows().map(row => (row.children[1] as FakeNode).attributes.get('class')),
    ['bar bar-1', 'bar bar-2', 'bar bar-3', 'bar bar-1'])
  const [first] = page.rows()
  page.show({ rooms: rooms(15, 30, 3, 0) })
  t.equal(page.rows()[0], first, 'rows stay')
  t.strictSame(page.widths(), ['50.00', '100.00', '10.00', '0.00'])
  page.show({ rooms: rooms(1) })
  t.equal(page.rows().length, 1)
  t.equal(page.node('rooms-title').textContent, 'The only room')
})

t.test('crowd view: the own number is told when it is new', async t => {
  const page = testPage()
  const counted = rooms(11, 10, 10)
  page.show({ rooms: counted })
  page.show({ rooms: counted, sentence: 'They came.' })
  t.strictSame(page.owns, [10])
  page.show({ rooms: rooms(11, 12, 10) })
  page.show({ rooms: rooms(5) })
  t.strictSame(page.owns, [10, 12], 'and only when it is there')
})

t.test('crowd view: works on a page that its owner has stripped', async t => {
  for (const id of ['crowding', 'bring-in', 'send-home']) t.equal(testPage([id]).crowd, undefined, id)
  for (const id of ['spread', 'rooms', 'rooms-title', 'rooms-list']) {
    t.doesNotThrow(() => testPage([id]).show({ rooms: rooms(1, 2, 3), sentence: 'They came.' }), id)
  }
})
