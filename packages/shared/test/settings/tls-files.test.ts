import { join } from 'node:path'
import t from 'tap'
import { readTlsFiles } from '@usher/shared/settings/tls-files.ts'
import { CERT, ENCRYPTED_KEY, KEY, OTHER_KEY, WEAK_CERT, WEAK_KEY } from '../fixtures/tls-pems.ts'

t.test('tls-files: takes a pair that belongs together, and says what is wrong else', async t => {
  const dir = t.testdir({
    cert: CERT,
    chain: `${CERT}${CERT}`,
    'broken-chain': `${CERT}${CERT.replace('MII', 'AAA')}`,
    key: KEY,
    both: `${CERT}${KEY}`,
    'other-key': OTHER_KEY,
    'encrypted-key': ENCRYPTED_KEY,
    'weak-cert': WEAK_CERT,
    'weak-key': WEAK_KEY,
    text: 'hello'
  })
  const noCert = 'DIR/CERT holds no PEM certificate'
  const noKey = 'DIR/KEY holds no PEM private key without a passphrase'
  type Case = [cert: string, key: string, certRefusal: string, keyRefusal: string]
  const cases: readonly Case[] = [
    ['cert', 'key', '', ''],
    ['chain', 'key', '', ''],
    ['both', 'both', '', ''],
    ['cert', 'other-key', '', 'it is not the key of the certificate in DIR/CERT'],
    ['cert', 'encrypted-key', '', noKey],
    ['cert', 'cert', '', noKey],
    ['key', 'key', noCert, ''],
    ['broken-chain', 'key', noCert, ''],
    ['weak-cert', 'weak-key', 'TLS cannot use DIR/CERT: ee key too small', ''],
    ['text', 'text', noCert, noKey],
    ['none', 'nothing', 'DIR/CERT does not exist', 'DIR/KEY does not exist']
  ]
  for (const [cert, key, certRefusal, keyRefusal] of cases) {
    const files = readTlsFiles(join(dir, cert), join(dir, key))
    const expand = (text: string) =>
      text.replace('DIR', dir).replace('CERT', cert).replace('KEY', key)
    const name = `${cert} with ${key}`
    t.equal(files.certRefusal, expand(certRefusal), name)
    t.equal(files.keyRefusal, expand(keyRefusal), name)
    t.equal(files.pair !== undefined, certRefusal === '' && keyRefusal === '', name)
  }
  t.same(readTlsFiles(join(dir, 'cert'), join(dir, 'key')).pair, { cert: CERT, key: KEY })
})
