// Lets ${NAME} stand unquoted inside { flow: mappings } and [lists], where YAML would take the braces for its own.
// Same length before and after, so every position stays true.

/** Characters that end a plain scalar in flow context, YAML 1.2, section 7.3.3. */
const INDICATORS = "{}[],";
/** Unicode noncharacters U+FDD0 to U+FDD4: never text, and plain to YAML. */
const FIRST_MASK = 0xfdd0;
const MASKS = /[\uFDD0-\uFDD4]/g;
const REFERENCE = /\$\{[^{}\r\n]*\}/g;
const INDICATOR = /[{}[\],]/g;

/** Offset of the first character that `mask` needs for itself, or -1. */
export function firstMaskCharacter(text: string): number {
  return text.search(/[\uFDD0-\uFDD4]/);
}

/** Hides the indicators of every reference. */
export function mask(text: string): string {
  return text.replaceAll(
    REFERENCE,
    (reference) =>
      reference.replaceAll(
        INDICATOR,
        (character) => String.fromCharCode(FIRST_MASK + INDICATORS.indexOf(character)),
      ),
  );
}

/** Puts the indicators back. */
export function unmask(text: string): string {
  return text.replaceAll(
    MASKS,
    (character) => INDICATORS[character.charCodeAt(0) - FIRST_MASK] ?? character,
  );
}
