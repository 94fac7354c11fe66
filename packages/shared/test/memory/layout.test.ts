import t from 'tap'
import {
  COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, COMMIT_PAGES, COMMIT_REPLACES, COMMIT_USED, NO_SERVER,
  SEEN_AGAIN, SEEN_CONFIRMED, SEEN_NEVER, SEEN_ONCE, SERVERS_MAX, SHARDS_MAX, SLOT_WORDS, USERS_MAX,
  WORD_BYTES, commitActive, commitIsIp, commitLoad, commitReserved, commitSeen, layoutFor,
  withActive, withReserved, withSeen
} from '@usher/shared/memory/layout.ts'

for (const users of [16, 64, 257, 1024, 131_072, USERS_MAX]) {
  t.test(`layout: a table of ${users} users has room for them and to spare`, async t => {
    const layout = layoutFor(users, 3)
    t.ok(layout.shardCount >= 1 && layout.shardCount <= SHARDS_MAX)
    t.equal(layout.shardCount & (layout.shardCount - 1), 0, 'shards are a power of two')
    t.equal(layout.bucketCount & (layout.bucketCount - 1), 0, 'buckets are a power of two')
    t.ok(layout.slotCount >= 64)
    const mean = users / layout.shardCount
    const deviations = layout.shardCount === 1 ? 0 : 5.9 * Math.sqrt(mean)
    t.ok(layout.slotCount >= mean + deviations, 'deviations above the mean')
    t.equal(layout.bytes, (layout.shardsAt + layout.shardWords * layout.shardCount) * WORD_BYTES)
    t.ok(layout.bytes / users < 80 || users < 100_000, `${layout.bytes / users} bytes a user`)
  })
}

t.test('layout: a user of a large table takes 64 bytes, all that a shard counts included', async t => {
  t.ok(SLOT_WORDS * WORD_BYTES <= 64)
  for (const users of [1_000_000, 1_048_576, USERS_MAX]) {
    for (const servers of [3, SERVERS_MAX]) {
      const bytes = layoutFor(users, servers).bytes / users
      t.ok(bytes <= 64, `${bytes} for ${users} users on ${servers} servers`)
    }
  }
})

t.test('layout: the commit word keeps every field apart', async t => {
  for (const active of [NO_SERVER, 0, 1, SERVERS_MAX - 1]) {
    for (const reserved of [NO_SERVER, 0, 1, SERVERS_MAX - 1]) {
      for (const seen of [SEEN_NEVER, SEEN_ONCE, SEEN_AGAIN, SEEN_CONFIRMED]) {
        const flags = COMMIT_USED | COMMIT_KIND_IP | COMMIT_ADDRESS_KNOWN | COMMIT_REPLACES |
          COMMIT_PAGES
        const commit = withSeen(withReserved(withActive(flags, active), reserved), seen)
        t.same(
          [commitActive(commit), commitReserved(commit), commitSeen(commit), commitIsIp(commit)],
          [active, reserved, seen, true]
        )
        t.equal(commit & flags, flags)
        t.equal(commitLoad(commit), reserved === NO_SERVER ? active : reserved)
      }
    }
  }
})
