// Huffman strings to bytes (RFC 7541 5.2), a byte at a time by a state machine made from the code.
import { CODE, CODE_BITS, EOS } from "./huffman_code.ts";

/**
 * The states are the inner nodes of the code's tree (257 leaves, so 256 of them), 0 its root. Per node and bit: the next
 * node, or the complement of the symbol that is complete.
 */
const CHILDREN = new Int16Array(256 * 2);

/** 1 for the nodes where a string may end: less than a byte below the root, by ones only (padding is EOS's first bits). */
const MAY_END = new Uint8Array(256);

/**
 * Per state and byte: next state in bits 0-7, the symbols that it completes in bits 8-15 and 16-23 and how many they are
 * in bits 24-25 (codes have at least 5 bits, so two at most); FAILED where EOS would be complete.
 */
const STEPS = new Uint32Array(256 * 256);
const FAILED = 3 << 24;

function growTree(): void {
  let nodes = 1;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0;
    for (let bit = CODE_BITS[symbol]! - 1; bit > 0; bit--) {
      const child = node * 2 + (CODE[symbol]! >>> bit & 1);
      if (CHILDREN[child] === 0) CHILDREN[child] = nodes++;
      node = CHILDREN[child]!;
    }
    CHILDREN[node * 2 + (CODE[symbol]! & 1)] = ~symbol;
  }
  for (let node = 0, depth = 0; depth < 8; depth++, node = CHILDREN[node * 2 + 1]!) {
    MAY_END[node] = 1;
  }
}

/** `step` and one bit more. */
function addBit(step: number, bit: number): number {
  if (step >= FAILED) return FAILED;
  const child = CHILDREN[(step & 0xff) * 2 + bit]!;
  if (child >= 0) return step & ~0xff | child;
  if (~child === EOS) return FAILED;
  const count = (step >>> 24) + 1;
  return count << 24 | step & 0xff00 | ~child << 8 * count;
}

/** A row holds the steps of all numbers of 1, 2 ... 8 bits in turn; from the back, so that it can double in place. */
function fillRow(state: number): void {
  const row = STEPS.subarray(state << 8, (state + 1) << 8);
  row[0] = state;
  for (let bits = 1; bits <= 8; bits++) {
    for (let value = (1 << bits) - 1; value >= 0; value--) {
      row[value] = addBit(row[value >> 1]!, value & 1);
    }
  }
}

growTree();

/** No step is 0, as the root is reached by completing a symbol: a row is made when it is needed, since all cost 5 MB of RSS. */
function stepOf(state: number, byte: number): number {
  fillRow(state);
  return STEPS[state << 8 | byte]!;
}

/** How much room `huffmanDecode` needs for that many bytes: 5 bits a symbol, and what the last step writes too much. */
export function decodedRoom(length: number): number {
  return (length * 8 / 5 | 0) + 2;
}

/**
 * Decodes `bytes[start, end)` into `target`, which has `decodedRoom`. Returns how many bytes it wrote, -1 when the string
 * holds EOS or its padding is longer than 7 bits or not of ones.
 */
export function huffmanDecode(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let state = 0, length = 0;
  for (let i = start; i < end; i++) {
    const step = STEPS[state << 8 | bytes[i]!] || stepOf(state, bytes[i]!);
    if (step >= FAILED) return -1;
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += step >>> 24;
    state = step & 0xff;
  }
  return MAY_END[state] === 1 ? length : -1;
}
