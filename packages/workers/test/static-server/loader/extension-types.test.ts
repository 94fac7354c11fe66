import t from 'tap'
import mimeTypes from 'mime-types'
import { COMMON_TYPES, contentType } from '../../../src/static-server/loader/extension-types.ts'

t.test('extension types: the common ones are what mime-types says', async t => {
  for (const [extension, type] of COMMON_TYPES) {
    t.equal(type, mimeTypes.contentType(extension), extension)
  }
})

t.test('extension types: all others come from mime-types', async t => {
  t.equal(contentType('.wasm'), 'application/wasm')
  t.equal(contentType('.no-such-type'), false)
})
