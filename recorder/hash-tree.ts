import { createHash } from "node:crypto";

/** The root of the hash tree over `leaves` (RFC 6962 2.1, RFC 9162 2.1.1). */
export function treeRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return createHash("sha256").digest();
  if (leaves.length === 1) return leafHash(only);
  const half = halfOf(leaves.length);
  return node(treeRoot(leaves.slice(0, half)), treeRoot(leaves.slice(half)));
}

/**
 * What shows that the leaf at an index is under the root, without the other leaves: hashes from the leaf up (RFC 9162 2.1.3.1). They are
 * made once, for all leaves.
 */
export function treePaths(leaves: readonly Buffer[]): (index: number) => readonly Buffer[] {
  const levels: Buffer[][] = [];
  for (let level = leaves.map(leafHash); level.length > 1; level = parentsOf(level)) levels.push(level);
  return (index) => levels.flatMap((level, height) => level[(index >> height) ^ 1] ?? []);
}

/** A level of the tree over the one below it; what has nothing beside it goes up as it is. */
function parentsOf(level: readonly Buffer[]): Buffer[] {
  return level.flatMap((left, at) => {
    const right = level[at + 1];
    if (at % 2 === 1) return [];
    return right === undefined ? left : node(left, right);
  });
}

/** The root that a leaf and its path lead to; undefined where the path has not the length that it must have. */
export function rootOver(
  leaf: Buffer,
  { index, size }: { readonly index: number; readonly size: number },
  path: readonly Buffer[],
): Buffer | undefined {
  if (size <= 1) return size === 1 && index === 0 && path.length === 0 ? leafHash(leaf) : undefined;
  const half = halfOf(size);
  const [sibling, rest] = [path.at(-1), path.slice(0, -1)];
  const below =
    index < half
      ? rootOver(leaf, { index, size: half }, rest)
      : rootOver(leaf, { index: index - half, size: size - half }, rest);
  if (below === undefined || sibling === undefined) return undefined;
  return index < half ? node(below, sibling) : node(sibling, below);
}

/** The largest power of two below `size`. */
function halfOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

function leafHash(leaf: Buffer): Buffer {
  return createHash("sha256").update(Buffer.of(0)).update(leaf).digest();
}

function node(left: Buffer, right: Buffer): Buffer {
  return createHash("sha256").update(Buffer.of(1)).update(left).update(right).digest();
}
