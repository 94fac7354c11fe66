/**
 * What `_headers` and `_redirects` do: sites, and requests to them with what is answered. Each case
 * names whose documentation decides: Netlify's, that of Cloudflare Pages, both, or Usher where they
 * disagree or say nothing. Run against the handler's parts, and against the running program.
 */

export interface SiteFixture {
  /** By path from the folder. */
  readonly files: Readonly<Record<string, string>>
  readonly headers?: string
  readonly redirects?: string
}

export interface SiteCase {
  readonly site: SiteName
  readonly by: 'Netlify' | 'Cloudflare' | 'both' | 'Usher'
  /** The rule that decides. */
  readonly rule: string
  /** With its query, if any; GET unless `method` says otherwise. */
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** What the server answers before it looks at its site. */
  readonly isOwn?: true
  readonly status: number
  /** Of the body; left out where it does not matter. */
  readonly body?: string
  /** By lower-case name; undefined for what must not be there. */
  readonly has?: Readonly<Record<string, string | undefined>>
}

const YEAR = 'public, max-age=31536000, immutable'
const LONG = 'the same words over and over; '.repeat(50)

export const SITES = {
  /** The examples of Netlify's "Redirects and rewrites", "Redirect options", "Custom headers". */
  netlify: {
    files: {
      'index.html': 'home',
      'news.html': 'news',
      'blog/my-post': 'my post',
      'authors/about-céline': 'céline',
      'store-closed.html': 'closed',
      'en/404.html': 'not here',
      'de/404.html': 'nicht hier',
      '404.html': 'gone',
      'taken/index.html': 'taken',
      'old/page.html': 'old page',
      'new/page.html': 'new page',
      'templates/index2.html': 'two'
    },
    redirects: `# Redirects from what the browser requests to what we serve
/home              /
/blog/my-post.php  /blog/my-post  # an inline comment
/cuties            https://www.petsofnetlify.com
/authors/c%C3%A9line  /authors/about-c%C3%A9line
/my-redirect  /              302
/gone-for-good /             301
/ecommerce    /store-closed  404
/pass-through /index.html    200

/store id=:id  /blog/:id  301
/articles id=:id tag=:tag /posts/:tag/:id 301
/articles id=:id          /posts/:id      301
/articles                 /posts          301
/path sort=asc            /up             302
/strip                    /stripped?plain=1 301

/archive/:month/:date/:year/:slug  /blog/:year/:month/:date/:slug
/jobs/customer-ninja-rockstar      /careers/support-engineer
/jobs/*                            /careers/:splat
/jobs/outdated-job-link            /careers/position-filled
/taken/*  /elsewhere/:splat 301
/old/*    /new/:splat       200!
/en/*     /en/404.html      404
/de/*     /de/404.html      404
`,
    headers: `# a path:
/templates/index.html
  X-Frame-Options: DENY
/templates/*
  X-Frame-Options: SAMEORIGIN
  cache-control: max-age=0
  cache-control: no-cache
  cache-control: no-store
  cache-control: must-revalidate
/
  Link: </app.css>; rel=preload; as=style
  Link: </app.js>; rel=preload; as=script
`
  },
  /** The examples of the pages "Headers" and "Redirects" of Cloudflare Pages. */
  cloudflare: {
    files: {
      'index.html': 'root',
      'secure/page': 'page',
      'static/image.jpg': 'image',
      'static/styles.css': 'css',
      'a.jpg': 'a',
      'app/x.html': 'x',
      'about/faqs.html': 'faqs',
      'b.html': 'b',
      'c.html': 'c',
      'movies/heat': 'heat',
      'page.html': LONG
    },
    redirects: `/home301 / 301
/home302 / 302
/querystrings /?query=string 301
/twitch https://twitch.tv
/trailing /trailing/ 301
/notrailing/ /notrailing 301
/page/ /page2/#fragment 301
/blog/* https://blog.my.domain/:splat
/products/:code/:name /products?code=:code&name=:name
/films/:title /media/:title
/about/faq/* /about/faqs 200
/a /b 200
/b /c 200
/see /seen 303
/temporary /there 307
/permanent /there 308
`,
    headers: `# This is a comment
/secure/page
  X-Frame-Options: DENY
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer

/static/*
  Access-Control-Allow-Origin: *
  X-Robots-Tag: nosnippet

/static/*.css
  X-Robots-Tag: noindex

/*
  Content-Security-Policy: default-src 'self';

/*.jpg
  ! Content-Security-Policy

/movies/:title
  x-movie-name: You are watching ":title"

/about/faq/*
  Link: </about/faqs>; rel="canonical"

/page.html
  ! Cache-Control
  Vary: Cookie
`
  },
  /** A single-page app with hashed assets. */
  app: {
    files: {
      'index.html': LONG,
      '404.html': 'no page',
      'robots.txt': 'all',
      'assets/app.4f2a91.js': `run(); ${LONG}`,
      'assets/logo.7b1c.png': 'png',
      'docs/404.html': 'no document',
      'docs/index.html': 'documents',
      data: '<p>typed</p>',
      '.well-known/acme-challenge/a_Token-1': 'a_Token-1.thumb',
      '.well-known/security.txt': 'Contact: mailto:x@example.org',
      '.well-known/.hidden': 'secret',
      '.env': 'secret'
    },
    redirects: `/assets/*  /404.html  404
/docs/*    /docs/404.html 404
/signin    /login?next=%3A  302
/go/*      /:splat  302
/*         /index.html  200
`,
    headers: `/*
  X-Frame-Options: DENY
/assets/*
  Cache-Control: ${YEAR}
  CDN-Cache-Control: max-age=60
/index.html
  CDN-Cache-Control: max-age=60
/data
  Content-Type: text/html; charset=utf-8
`
  }
} satisfies Record<string, SiteFixture>

export type SiteName = keyof typeof SITES

/** What a server says of every page without rules. */
const NO_CACHE = 'no-cache'

export const SITE_CASES: readonly SiteCase[] = [
  // Netlify, redirects.
  { site: 'netlify', by: 'Cloudflare', rule: 'without a status it is 302; Netlify says 301, which cannot be taken back', path: '/home', status: 302, has: { location: '/', 'cache-control': NO_CACHE } },
  { site: 'netlify', by: 'Netlify', rule: 'a comment may stand behind a rule', path: '/blog/my-post.php', status: 302, has: { location: '/blog/my-post' } },
  { site: 'netlify', by: 'both', rule: 'a destination may be another site', path: '/cuties', status: 302, has: { location: 'https://www.petsofnetlify.com' } },
  { site: 'netlify', by: 'Netlify', rule: 'special characters are escaped in rules', path: '/authors/c%C3%A9line', status: 302, has: { location: '/authors/about-c%C3%A9line' } },
  { site: 'netlify', by: 'Netlify', rule: 'escapes are the same in any case', path: '/authors/c%c3%a9line', status: 302, has: { location: '/authors/about-c%C3%A9line' } },
  { site: 'netlify', by: 'both', rule: '302', path: '/my-redirect', status: 302, has: { location: '/' } },
  { site: 'netlify', by: 'both', rule: '301', path: '/gone-for-good', status: 301, has: { location: '/', 'cache-control': NO_CACHE } },
  { site: 'netlify', by: 'Netlify', rule: '404 shows a page with that status', path: '/ecommerce', status: 404, body: 'closed', has: { location: undefined, etag: undefined } },
  { site: 'netlify', by: 'both', rule: '200 shows a page in place', path: '/pass-through', status: 200, body: 'home' },
  { site: 'netlify', by: 'Netlify', rule: 'a slash at the end makes no difference', path: '/home/', status: 302, has: { location: '/' } },
  { site: 'netlify', by: 'both', rule: 'paths are case-sensitive', path: '/Home', status: 404, body: 'gone' },
  { site: 'netlify', by: 'both', rule: 'the query is passed on', path: '/home?a=1&b=%20', status: 302, has: { location: '/?a=1&b=%20' } },
  { site: 'netlify', by: 'Netlify', rule: 'a query in the destination takes the place of the request\'s', path: '/strip?a=1', status: 301, has: { location: '/stripped?plain=1' } },
  { site: 'netlify', by: 'Netlify', rule: 'a parameter may be taken from the query', path: '/store?id=my-blog-post', status: 301, has: { location: '/blog/my-blog-post?id=my-blog-post' } },
  { site: 'netlify', by: 'Netlify', rule: 'what is taken from the query is a part of the path', path: '/store?id=a%2Fb%3Fc%20d', status: 301, has: { location: '/blog/a%2Fb%3Fc%20d?id=a%2Fb%3Fc%20d' } },
  { site: 'netlify', by: 'Netlify', rule: 'without the parameter the rule is not for the request', path: '/store', status: 404 },
  { site: 'netlify', by: 'Netlify', rule: 'with another parameter neither', path: '/store?id=1&x=2', status: 404 },
  { site: 'netlify', by: 'Netlify', rule: 'the order of parameters does not matter', path: '/articles?tag=t&id=1', status: 301, has: { location: '/posts/t/1?tag=t&id=1' } },
  { site: 'netlify', by: 'Netlify', rule: 'the first rule whose parameters are there is taken', path: '/articles?id=1', status: 301, has: { location: '/posts/1?id=1' } },
  { site: 'netlify', by: 'Netlify', rule: 'the last rule asks for none', path: '/articles', status: 301, has: { location: '/posts' } },
  { site: 'netlify', by: 'Netlify', rule: 'a parameter may have to have a value', path: '/path?sort=asc', status: 302, has: { location: '/up?sort=asc' } },
  { site: 'netlify', by: 'Netlify', rule: 'and no other one', path: '/path?sort=desc', status: 404 },
  { site: 'netlify', by: 'both', rule: 'placeholders stand for segments', path: '/archive/02/12/2004/my-story', status: 302, has: { location: '/blog/2004/02/12/my-story' } },
  { site: 'netlify', by: 'both', rule: 'and for one each', path: '/archive/02/12/2004', status: 404 },
  { site: 'netlify', by: 'Netlify', rule: 'the first rule in the file is taken', path: '/jobs/customer-ninja-rockstar', status: 302, has: { location: '/careers/support-engineer' } },
  { site: 'netlify', by: 'both', rule: 'an asterisk stands for all that follows', path: '/jobs/a/b', status: 302, has: { location: '/careers/a/b' } },
  { site: 'netlify', by: 'Netlify', rule: 'a rule behind one for the same path is never reached', path: '/jobs/outdated-job-link', status: 302, has: { location: '/careers/outdated-job-link' } },
  { site: 'netlify', by: 'Netlify', rule: 'a folder\'s asterisk is for the folder too', path: '/jobs', status: 302, has: { location: '/careers/' } },
  { site: 'netlify', by: 'Netlify', rule: 'what is there comes before a rule; Cloudflare follows rules always', path: '/taken/', status: 200, body: 'taken' },
  { site: 'netlify', by: 'Usher', rule: 'a folder\'s slash comes before a rule, too', path: '/taken', status: 301, has: { location: '/taken/' } },
  { site: 'netlify', by: 'Netlify', rule: 'what is not there is the rule\'s', path: '/taken/x', status: 301, has: { location: '/elsewhere/x' } },
  { site: 'netlify', by: 'Netlify', rule: 'with ! a rule comes before what is there', path: '/old/page.html', status: 200, body: 'new page' },
  { site: 'netlify', by: 'Usher', rule: 'a page that a rule shows may be named without .html', path: '/old/page', status: 200, body: 'new page' },
  { site: 'netlify', by: 'Usher', rule: 'a rule that shows what is not there is 404', path: '/old/nothing', status: 404, body: 'gone' },
  { site: 'netlify', by: 'Netlify', rule: '404 pages by language', path: '/de/nirgends', status: 404, body: 'nicht hier' },
  { site: 'netlify', by: 'both', rule: 'without a rule the site\'s 404.html', path: '/nowhere', status: 404, body: 'gone' },

  // Netlify, headers.
  { site: 'netlify', by: 'both', rule: 'repeated in one block, values are joined', path: '/templates/index2.html', status: 200, has: { 'cache-control': 'max-age=0, no-cache, no-store, must-revalidate', 'x-frame-options': 'SAMEORIGIN' } },
  { site: 'netlify', by: 'both', rule: 'a path without an asterisk is for itself only', path: '/', status: 200, has: { link: '</app.css>; rel=preload; as=style, </app.js>; rel=preload; as=script', 'cache-control': NO_CACHE } },
  { site: 'netlify', by: 'Usher', rule: 'the page of a folder has the headers of the path that was asked for', path: '/index.html', status: 200, body: 'home', has: { link: undefined } },
  { site: 'netlify', by: 'both', rule: 'the files of rules are not served', path: '/_headers', status: 404 },
  { site: 'netlify', by: 'both', rule: 'the files of rules are not served', path: '/_redirects', status: 404 },
  { site: 'netlify', by: 'both', rule: 'the files of rules are not served, however they are spelt', path: '/%5fheaders', status: 404 },

  // Cloudflare, redirects.
  { site: 'cloudflare', by: 'both', rule: '301', path: '/home301', status: 301, has: { location: '/' } },
  { site: 'cloudflare', by: 'both', rule: '302', path: '/home302', status: 302, has: { location: '/' } },
  { site: 'cloudflare', by: 'both', rule: 'a destination may have a query', path: '/querystrings', status: 301, has: { location: '/?query=string' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'without a status it is 302', path: '/twitch', status: 302, has: { location: 'https://twitch.tv' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'a rule may add a slash at the end; on Netlify it may not', path: '/trailing', status: 301, has: { location: '/trailing/' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'and is not for what has it', path: '/trailing/', status: 404 },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'a rule may take a slash away', path: '/notrailing/', status: 301, has: { location: '/notrailing' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'and is not for what has none', path: '/notrailing', status: 404 },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'a destination may have a fragment', path: '/page/', status: 301, has: { location: '/page2/#fragment' } },
  { site: 'cloudflare', by: 'Usher', rule: 'the query comes before the fragment', path: '/page/?a', status: 301, has: { location: '/page2/?a#fragment' } },
  { site: 'cloudflare', by: 'both', rule: 'an asterisk may lead to another site', path: '/blog/2024/x', status: 302, has: { location: 'https://blog.my.domain/2024/x' } },
  { site: 'cloudflare', by: 'both', rule: 'placeholders may stand in a query', path: '/products/1/shoe', status: 302, has: { location: '/products?code=1&name=shoe' } },
  { site: 'cloudflare', by: 'Usher', rule: 'a value ends no parameter', path: '/products/1&x=2/a+b', status: 302, has: { location: '/products?code=1%26x%3D2&name=a%2Bb' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'placeholders in a path', path: '/films/heat', status: 302, has: { location: '/media/heat' } },
  { site: 'cloudflare', by: 'Usher', rule: 'a value is one segment, also when it has a slash in it', path: '/films/a%2fb%3F', status: 302, has: { location: '/media/a%2Fb%3F' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: '200 with the headers of the path that was asked for', path: '/about/faq/anything', status: 200, body: 'faqs', has: { link: '</about/faqs>; rel="canonical"', 'content-security-policy': 'default-src \'self\';' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'only one rule is applied', path: '/a', status: 200, body: 'b' },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'for each request', path: '/b', status: 200, body: 'c' },
  { site: 'cloudflare', by: 'Cloudflare', rule: '303', path: '/see', status: 303, has: { location: '/seen' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: '307', path: '/temporary', status: 307, has: { location: '/there' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: '308', path: '/permanent', status: 308, has: { location: '/there' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'redirects have no headers of rules', path: '/home301', status: 301, has: { 'content-security-policy': undefined } },

  // Cloudflare, headers.
  { site: 'cloudflare', by: 'Cloudflare', rule: 'all headers of a rule, and those of every rule that is for the path', path: '/secure/page', status: 200, has: { 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'content-security-policy': 'default-src \'self\';' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'values of several rules are joined', path: '/static/styles.css', status: 200, has: { 'access-control-allow-origin': '*', 'x-robots-tag': 'nosnippet, noindex', 'x-frame-options': undefined } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'an asterisk may stand in front of an ending; ! takes away what earlier rules gave', path: '/static/image.jpg', status: 200, has: { 'x-robots-tag': 'nosnippet', 'content-security-policy': undefined } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'an asterisk stands for anything, slashes too', path: '/a.jpg', status: 200, has: { 'content-security-policy': undefined } },
  { site: 'cloudflare', by: 'Cloudflare', rule: 'values may name placeholders', path: '/movies/heat', status: 200, has: { 'x-movie-name': 'You are watching "heat"' } },
  { site: 'cloudflare', by: 'Cloudflare', rule: '! takes away what the server itself says', path: '/page.html', status: 200, has: { 'cache-control': undefined, vary: 'Accept-Encoding, Cookie' } },
  { site: 'cloudflare', by: 'Usher', rule: 'each coding has them', path: '/page.html', headers: { 'accept-encoding': 'gzip' }, status: 200, has: { 'content-encoding': 'gzip', vary: 'Accept-Encoding, Cookie', 'content-security-policy': 'default-src \'self\';' } },
  { site: 'cloudflare', by: 'Usher', rule: 'a part has them', path: '/secure/page', headers: { range: 'bytes=1-2' }, status: 206, body: 'ag', has: { 'content-range': 'bytes 1-2/4', 'x-frame-options': 'DENY' } },
  { site: 'cloudflare', by: 'Usher', rule: 'HEAD has them', path: '/secure/page', method: 'HEAD', status: 200, has: { 'x-frame-options': 'DENY', 'content-length': '4' } },
  { site: 'cloudflare', by: 'Usher', rule: 'HEAD is redirected as well', path: '/home301?a', method: 'HEAD', status: 301, has: { location: '/?a' } },
  { site: 'cloudflare', by: 'Usher', rule: '304 has them: rules may change where the file does not', path: '/secure/page', headers: { 'if-none-match': '*' }, status: 304, has: { 'x-frame-options': 'DENY', 'content-type': undefined } },
  { site: 'cloudflare', by: 'Usher', rule: 'what a rule shows in place can be asked for conditionally', path: '/about/faq/x', headers: { 'if-none-match': '*' }, status: 304, has: { link: '</about/faqs>; rel="canonical"' } },

  // A single-page app.
  { site: 'app', by: 'both', rule: 'every path that is not there is the app\'s', path: '/cart/items/7', status: 200, body: LONG, has: { 'x-frame-options': 'DENY', 'content-type': 'text/html; charset=utf-8' } },
  { site: 'app', by: 'Usher', rule: 'also one with an escaped slash, or that is no UTF-8', path: '/search/a%2Fb/%ff', status: 200, body: LONG },
  { site: 'app', by: 'Usher', rule: 'compressed as the page is', path: '/cart', headers: { 'accept-encoding': 'br' }, status: 200, has: { 'content-encoding': 'br', vary: 'Accept-Encoding' } },
  { site: 'app', by: 'Netlify', rule: 'files come before it', path: '/robots.txt', status: 200, body: 'all' },
  { site: 'app', by: 'both', rule: 'a hashed asset keeps its Cache-Control at the first visit', path: '/assets/logo.7b1c.png', status: 200, body: 'png', has: { 'cache-control': YEAR, 'set-cookie': undefined, 'x-frame-options': 'DENY' } },
  { site: 'app', by: 'Usher', rule: 'and in each coding', path: '/assets/app.4f2a91.js', headers: { 'accept-encoding': 'br', 'sec-fetch-dest': 'script' }, status: 200, has: { 'cache-control': YEAR, 'content-encoding': 'br', 'set-cookie': undefined } },
  { site: 'app', by: 'Usher', rule: 'what is not there is not kept for a year', path: '/assets/app.000000.js', status: 404, body: 'no page', has: { 'cache-control': NO_CACHE, 'x-frame-options': 'DENY' } },
  { site: 'app', by: 'Netlify', rule: 'a rule with 404 has the page that it names', path: '/docs/none', status: 404, body: 'no document' },
  { site: 'app', by: 'Usher', rule: 'a colon of its own is escaped', path: '/signin', status: 302, has: { location: '/login?next=%3A' } },
  { site: 'app', by: 'Usher', rule: 'what an asterisk stands for makes no host', path: '/go//evil.example/x', status: 302, has: { location: '/evil.example/x' } },
  { site: 'app', by: 'Usher', rule: 'nor a backslash', path: '/go/%5Cevil.example', status: 302, has: { location: '/%5Cevil.example' } },
  { site: 'app', by: 'both', rule: 'Content-Type can be given', path: '/data', status: 200, has: { 'content-type': 'text/html; charset=utf-8' } },
  { site: 'app', by: 'Usher', rule: '.well-known is served, a challenge as text', path: '/.well-known/acme-challenge/a_Token-1', status: 200, body: 'a_Token-1.thumb', has: { 'content-type': 'text/plain; charset=utf-8' } },
  { site: 'app', by: 'Usher', rule: '.well-known is served', path: '/.well-known/security.txt', status: 200, body: 'Contact: mailto:x@example.org' },
  { site: 'app', by: 'Usher', rule: 'other dotfiles are not', path: '/.env', status: 200, body: LONG },
  { site: 'app', by: 'Usher', rule: 'nor those in it', path: '/.well-known/.hidden', status: 200, body: LONG },
  { site: 'app', by: 'Usher', rule: 'no rule is for the server\'s own paths', path: '/healthz', isOwn: true, status: 200 },
  { site: 'app', by: 'Usher', rule: 'no rule is for another method', path: '/cart', method: 'POST', isOwn: true, status: 405 }
]
