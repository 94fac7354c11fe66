/** Text in a page stays text. */
import t from 'tap'
import { escapeHtml } from '../../../src/http/vocabulary/escape-html.ts'

t.test('escape html: no markup, no end of an attribute, nothing escaped twice', async t => {
  t.equal(escapeHtml('<b a="1" b=\'2\'>&amp;'), '&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;')
  t.equal(escapeHtml('Ana, 12 °C'), 'Ana, 12 °C')
})
