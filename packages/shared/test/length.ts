/**
 * How long those tests are that could go on for ever: short ones show the thing (`npm test`), long
 * ones look for what is rare (`npm run test:long`). The variable is read nowhere else.
 */
export const isLong = process.env['USHER_TEST_LENGTH'] === 'long'
