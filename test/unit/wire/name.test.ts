import { describe, expect, test } from 'vitest';
import { isValidName, whyInvalidName, whyRefusedName } from '../../../src/wire/name.ts';

describe('protocol §3: a name is 1 to 255 bytes of UTF-8', () => {
  test.each(['a', 'Özge', 'jean-françois', '🐦', 'a b', 'x'.repeat(255)])('%s is one', (name) => {
    expect(isValidName(name)).toBe(true);
  });

  test.each([
    ['nothing', '', 'at least one'],
    ['256 bytes', 'é'.repeat(128), '256'],
    ['a slash', 'a/b', '"/"'],
    ['a control character', 'a\u0007b', 'control'],
    ['a line feed', 'a\nb', 'control'],
    ['a C1 control character', 'a\u009bb', 'control'],
    ['a line separator', 'a\u2028b', 'line breaks'],
    ['an unpaired surrogate', 'a\ud800', 'surrogates'],
  ])('with %s it is not, and it is said why', (_, name, why) => {
    expect(whyInvalidName(name)).toContain(why);
  });
});

describe('protocol §3: a directory gives a new name to nobody', () => {
  test.each([
    ['that is none', 'a/b', '"/"'],
    ['in another normalization form', 'e\u0301', 'NFC'],
    ['that begins with a space', ' a', 'white space'],
    ['that ends with a no-break space', 'a\u00a0', 'white space'],
    ['with an invisible character', 'a\u200db', 'invisible'],
    ['that changes the direction of text', 'a\u202eb', 'direction'],
  ])('%s, and it is said why', (_, name, why) => {
    expect(whyRefusedName(name)).toContain(why);
  });

  test.each(['é', 'a b', '🐦'])('if it looks like another one; %s does not', (name) => {
    expect(whyRefusedName(name)).toBeUndefined();
  });
});
