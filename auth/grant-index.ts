import type { EffectiveGrant } from "./principal.ts";
import { isCameraRight, type Right } from "./right.ts";

const LIMITS = {
  /** A grant that names more cameras than this is looked at for every camera: a list is indexed anew after each change of a role. */
  namedCameras: 64,
} as const;

/** Some grants of a list, so that those which can have to do with a camera are found without looking at the others. */
export interface Lines {
  /** In the order of the list. */
  readonly all: readonly EffectiveGrant[];
  /** Those that name few cameras, under each of these. */
  readonly byCamera: ReadonlyMap<string, readonly Line[]>;
  /** The others, which have to be asked. */
  readonly anywhere: readonly Line[];
}

export interface Line {
  readonly grant: EffectiveGrant;
  /** In the order of the list: of several that deny, the first one is named. */
  readonly place: number;
}

/** What of a list of grants says yes or no to one right. */
export interface RightLines {
  readonly deny: Lines;
  readonly allow: Lines;
}

interface GrantIndex {
  readonly byRight: ReadonlyMap<Right, RightLines>;
  /** All that give a right over cameras, for any of them makes a camera visible. */
  readonly showing: Lines;
}

const NONE: Lines = { all: [], byCamera: new Map(), anywhere: [] };
const NO_RIGHT: RightLines = { deny: NONE, allow: NONE };

/** Lists of grants never change, and accounts with the same roles alone have the same list: each is indexed once, when it is first asked. */
const indexes = new WeakMap<readonly EffectiveGrant[], GrantIndex>();

/** The grants of one right. */
export function linesOf(grants: readonly EffectiveGrant[], right: Right): RightLines {
  return indexOf(grants).byRight.get(right) ?? NO_RIGHT;
}

/** The grants that may make a camera visible. */
export function showingLines(grants: readonly EffectiveGrant[]): Lines {
  return indexOf(grants).showing;
}

/** Those of the lines that can have to do with the camera, or with a right over the product; the order is that of `place` in each of the two. */
export function linesAt({ byCamera, anywhere }: Lines, camera: string | undefined): readonly (readonly Line[])[] {
  const named = camera === undefined ? undefined : byCamera.get(camera);
  return named === undefined ? [anywhere] : [named, anywhere];
}

function indexOf(grants: readonly EffectiveGrant[]): GrantIndex {
  const known = indexes.get(grants);
  if (known !== undefined) return known;
  const byRight = new Map<Right, RightLines>();
  for (const [right, of] of Map.groupBy(grants, (grant) => grant.right)) {
    const { deny = [], allow = [] } = Object.groupBy(of, (grant) => (grant.deny === true ? "deny" : "allow"));
    byRight.set(right, { deny: indexed(deny), allow: indexed(allow) });
  }
  const index = {
    byRight,
    showing: indexed(grants.filter(({ right, deny }) => deny !== true && isCameraRight(right))),
  };
  indexes.set(grants, index);
  return index;
}

function indexed(all: readonly EffectiveGrant[]): Lines {
  if (all.length === 0) return NONE;
  const byCamera = new Map<string, Line[]>();
  const anywhere: Line[] = [];
  for (const [place, grant] of all.entries()) {
    const line = { grant, place };
    if (grant.cameras === "any" || grant.cameras.size > LIMITS.namedCameras || !isCameraRight(grant.right))
      anywhere.push(line);
    else
      for (const camera of grant.cameras) {
        const lines = byCamera.get(camera);
        if (lines === undefined) byCamera.set(camera, [line]);
        else lines.push(line);
      }
  }
  return { all, byCamera, anywhere };
}
