import { align } from "./align.ts";
import { Effort } from "./effort.ts";
import type { CameraFinding, CameraVerdict } from "./finding.ts";
import { changedPlace, changeOf, lengthOf, type Statement, whyNotCompared } from "./group-change.ts";
import { isZero, type Place, placeOf, startBefore, startsIn } from "./group-search.ts";
import { say, UNVOUCHED, type Vouched } from "./say.ts";
import { linkedHash, type SignedUnit } from "./units.ts";
import { WHY } from "./why.ts";

const LIMITS = {
  /** Units that wait for their signature. Cameras sign every few seconds; thousands of slices in a picture are one more second. */
  units: 20_000,
  /** Statements that no units were found for yet, where it is not known which of them are of before the beginning. */
  unplaced: 4,
  /** Groups at the end that may wait for their signature, beside those by which the camera was behind before. */
  dangling: 2,
  /** Statements that are remembered, so that what is played once more is found: days of them. */
  remembered: 100_000,
};

/** What was settled last. */
interface Settled {
  readonly counter: number;
  /** Of its first unit as it was signed; undefined: it is not known. */
  readonly first: Buffer | undefined;
  readonly toUs: number;
}

/**
 * Finds for what a camera has signed the pictures that it signed, and says of pictures what was found of them. Signatures come
 * behind their pictures, and may come several groups later; statements count up, and each names the first picture of the one before.
 */
export class GroupJudge {
  readonly #units: SignedUnit[] = [];
  readonly #unplaced: Statement[] = [];
  readonly #findings: CameraFinding[] = [];
  readonly #remembered = new Set<string>();
  readonly #effort = new Effort();
  #last: Settled | undefined;
  #hasStatement = false;
  /** Something was lost before the unit of this place, on the way from the camera, and the recorder said so; what followed is not settled. */
  #lostAt: number | undefined;
  /** Groups by which the camera was behind with its signatures, at most. */
  #behind = 0;

  unit(unit: SignedUnit): void {
    this.#units.push(unit);
    this.#effort.unit();
    if (this.#units.length <= LIMITS.units) return;
    const why = this.#hasStatement ? WHY.noMore : undefined;
    say(this.#units.splice(0, LIMITS.units / 2), "unsigned", why, this.#findings);
  }

  /** Something is missing before the unit of this place, as was noted when it was recorded: until a group behind it holds, nobody is accused. */
  lost(order: number): void {
    this.#lostAt = order;
  }

  statement(given: Statement): void {
    const digest = given.hash.toString("base64");
    const isRepeated = this.#remembered.has(digest);
    if (this.#remembered.size < LIMITS.remembered) this.#remembered.add(digest);
    this.#hasStatement = true;
    const place = placeOf(this.#units, given, this.#effort);
    if (this.#effort.isSpent) this.#passOver(given);
    else if (place !== undefined) this.#settle(given, place, isRepeated);
    // Cameras may send each several times, against losses.
    else if (isRepeated) return;
    else if (this.#last === undefined) this.#wait(given);
    else this.#settleChanged(given, this.#last);
  }

  end(): readonly CameraFinding[] {
    if (this.#unplaced.length >= LIMITS.unplaced) this.#giveUp();
    const into = this.#findings;
    const rest = this.#units.splice(0);
    if (!this.#hasStatement) say(rest, "unsigned", undefined, into);
    else {
      const isSignedLater = rest.some(({ held }) => held !== undefined);
      const from = startsIn(rest).at(-LIMITS.dangling - this.#behind) ?? 0;
      if (!isSignedLater && this.#last !== undefined) say(rest.splice(0, from), "unsigned", WHY.noMore, into);
      say(rest, "unknown", WHY.isOver, into);
    }
    return into.toSorted((a, b) => a.fromUs - b.fromUs);
  }

  /** Where nothing is placed yet: perhaps it is of what was before the beginning. */
  #wait(given: Statement): void {
    const previous = isZero(given.previous) ? undefined : given.previous;
    const at = this.#units.findIndex((one) => previous !== undefined && linkedHash(one, given.name)?.equals(previous));
    if (at < 0) {
      this.#unplaced.push(given);
      if (this.#unplaced.length > LIMITS.unplaced) this.#giveUp();
      return;
    }
    // The group before its own is known by the first picture.
    const behind = startsIn(this.#units).find((start) => start > at) ?? this.#units.length;
    this.#judgeBefore(behind, given);
    const toUs = this.#units[behind - 1]?.toUs ?? 0;
    this.#units.splice(0, behind);
    this.#last = { counter: given.counter - 1, first: given.previous, toUs };
    this.#settleChanged(given, this.#last);
  }

  /** So much that it may be of, and so many that are of none of it: no camera sends that. */
  #passOver({ counter }: Statement): void {
    const units = this.#units.splice(0);
    this.#unplaced.length = 0;
    this.#effort.anew();
    say(units, "missing", WHY.tooMany, this.#findings);
    this.#last = { counter, first: undefined, toUs: units.at(-1)?.toUs ?? this.#last?.toUs ?? 0 };
  }

  /** So many statements, and none that anything is left of. */
  #giveUp(): void {
    const units = this.#units.splice(0, startBefore(this.#units, this.#units.length));
    const last = this.#unplaced.splice(0).at(-1);
    const unclear = whyNotCompared(units) ?? (this.#isLost ? WHY.lost : last?.unclear);
    say(units, unclear === undefined ? "changed" : "unknown", unclear ?? WHY.nothing, this.#findings);
    if (last !== undefined) this.#last = { counter: last.counter, first: undefined, toUs: units.at(-1)?.toUs ?? 0 };
  }

  /** Of units that are all here, as they were signed. */
  #settle(given: Statement, place: Place, isRepeated: boolean): void {
    const units = this.#units.slice(place.from, place.to);
    const [verdict, why] = isRepeated ? (["changed", WHY.repeated] as const) : this.#verdictOf(given, place);
    const isBack = this.#last !== undefined && given.counter <= this.#last.counter && verdict === "changed";
    this.#judgeBefore(place.from, given);
    const said = why === undefined ? undefined : { verdict, why };
    say(units, verdict, why, given.held ?? this.#findings, () => (verdict === "changed" ? UNVOUCHED : said));
    this.#units.splice(0, place.to);
    this.#behind = Math.max(this.#behind, startsIn(this.#units).length - 1);
    if ((units[0]?.order ?? 0) >= (this.#lostAt ?? 0)) this.#lostAt = undefined;
    const first = units[0] && linkedHash(units[0], given.name);
    if (!isBack) this.#last = { counter: given.counter, first, toUs: units.at(-1)?.toUs ?? 0 };
  }

  #verdictOf(given: Statement, { from, isWhole }: Place): readonly [CameraVerdict, string | undefined] {
    const last = this.#last;
    if (given.isSigned && given.isGood === false) return ["changed", WHY.badSignature];
    if (last !== undefined && !isZero(given.previous) && !this.#isLost) {
      if (given.counter <= last.counter) return ["changed", WHY.elsewhere];
      const isNext = from === 0 && given.counter === last.counter + 1;
      const isFollowing = last.first === undefined || given.previous === undefined || last.first.equals(given.previous);
      if (isNext && !isFollowing) return ["changed", WHY.unfollowed];
    }
    if (given.isSigned && given.isGood === undefined) return ["unknown", WHY.noCertificate];
    if (!isWhole) return ["unknown", WHY.notAll];
    return given.distrust === undefined ? ["ok", undefined] : ["untrusted", given.distrust];
  }

  /** Of units of which not all are here as they were: the next ones that wait. */
  #settleChanged(given: Statement, last: Settled): void {
    // One that was sent late, or again.
    if (given.counter <= last.counter && !isZero(given.previous)) return;
    const { from, to } = changedPlace(this.#units, given, Math.max(0, given.counter - last.counter - 1));
    this.#judgeBefore(from, given);
    if (from < to) this.#judge(from, to, given);
    else {
      this.#sayAbsent(given, this.#last ?? last, { count: 1, end: from });
      this.#last = { counter: given.counter, first: given.list?.subarray(0, given.hash.length), toUs: last.toUs };
    }
    this.#units.splice(0, to);
  }

  /** Of the units before `end`, which `given` says nothing of: by statements that were not placed, or without any. */
  #judgeBefore(end: number, given: Statement): void {
    const into = given.held ?? this.#findings;
    const last = this.#last;
    const isAnew = isZero(given.previous) || (last !== undefined && given.counter <= last.counter);
    let counter = given.counter - 1;
    let to = end;
    for (; to > 0; counter -= 1) {
      if (isAnew) break;
      const own = this.#unplaced.find((one) => one.counter === counter);
      const length = own?.isPartial === true ? lengthOf(own) : undefined;
      const from = Math.max(startBefore(this.#units, to), length === undefined ? 0 : to - length);
      const units = this.#units.slice(from, to);
      if (last !== undefined && counter <= last.counter && !this.#isLost) say(units, "changed", WHY.elsewhere, into);
      else if (own !== undefined) this.#judge(from, to, own);
      else {
        const unclear =
          (last === undefined ? whyNotCompared(units) : undefined) ?? (this.#isLost ? WHY.lost : undefined);
        say(units, unclear === undefined ? "missing" : "unknown", unclear ?? WHY.noSignature, into);
      }
      to = from;
    }
    const left = this.#units.slice(0, to);
    say(left, last === undefined ? "unsigned" : "unknown", WHY.anew, into);
    if (last !== undefined && isZero(given.previous) && end === 0) this.#sayAnew(given, last);
    if (last !== undefined && !isAnew && counter > last.counter)
      this.#sayAbsent(given, last, { count: counter - last.counter, end });
    this.#unplaced.length = 0;
  }

  /** Says that nothing is left of so many (partial) groups before `end`. */
  #sayAbsent(
    given: Statement,
    { toUs }: Settled,
    { count, end }: { readonly count: number; readonly end: number },
  ): void {
    const fromUs = this.#units[end - 1]?.toUs ?? toUs;
    const until = Math.max(fromUs, this.#units[end]?.fromUs ?? fromUs);
    const why = this.#isLost
      ? WHY.lost
      : `the camera signed ${count} more ${count === 1 ? "group" : "groups"} of pictures here, which ${count === 1 ? "is" : "are"} not there`;
    (given.held ?? this.#findings).push({ fromUs, toUs: until, verdict: this.#isLost ? "unknown" : "missing", why });
  }

  /** Says that nobody knows what was between two beginnings of a camera. */
  #sayAnew(given: Statement, { toUs }: Settled): void {
    const until = Math.max(toUs, this.#units[0]?.fromUs ?? toUs);
    (given.held ?? this.#findings).push({ fromUs: toUs, toUs: until, verdict: "unknown", why: WHY.begins });
  }

  /** Says what is changed in units that are not as the camera signed them. */
  #judge(from: number, to: number, given: Statement): void {
    const units = this.#units.slice(from, to);
    const { verdict, why, matched } = changeOf(units, given, this.#isLost && !this.#isIntact(units, given));
    const isGood = !given.isSigned || given.isGood === true;
    const said = given.distrust === undefined ? undefined : ({ verdict: "untrusted", why: given.distrust } as const);
    const vouch = (index: number): Vouched => (isGood && matched.has(index) ? said : UNVOUCHED);
    // A message among the units that it is about vouches for nothing.
    const isAmong = given.held !== undefined && units.some(({ held }) => held === given.held);
    say(units, verdict, why, isAmong ? this.#findings : (given.held ?? this.#findings), vouch);
    const first = given.list?.subarray(0, given.hash.length);
    this.#last = { counter: given.counter, first, toUs: units.at(-1)?.toUs ?? 0 };
  }

  get #isLost(): boolean {
    return this.#lostAt !== undefined;
  }

  /** Whether units are those of a statement for sure, and stand behind what was lost. */
  #isIntact([first, ...rest]: readonly SignedUnit[], { list, name }: Statement): boolean {
    if (first === undefined || list === undefined || !first.isStart || first.order < (this.#lostAt ?? 0)) return false;
    return align([first, ...rest], list, name).matched.size > 0;
  }
}
