const PLAYING = {
  /** Nothing begins sooner: what comes next has to be ready by then. */
  leastS: 0.05,
  /** Where there is no picture that it has to wait for. */
  usualS: 0.3,
  /** What would wait for longer goes by another clock than the picture, and does not wait for it. */
  mostS: 4,
  /** It may be so much too early or too late for its picture before it is moved: below, lips still move in time. */
  offS: 0.12,
};

/** Says when pieces of sound are to begin, so that they follow one another, and go with the picture. */
export class Schedule {
  /** Where what was begun last ends. */
  #nextS = 0;

  /**
   * Seconds on the clock of `nowS`. `aheadS`: how long after now what was captured with it is seen; undefined where nothing is. Undefined
   * for a piece that is too old to be heard.
   */
  begin(o: {
    readonly nowS: number;
    readonly aheadS: number | undefined;
    readonly durationS: number;
  }): number | undefined {
    const { nowS, aheadS, durationS } = o;
    const waitS = aheadS === undefined || Math.abs(aheadS) > PLAYING.mostS ? undefined : aheadS;
    const isRunning = this.#nextS >= nowS;
    const wantedS = nowS + Math.max(PLAYING.leastS, waitS ?? (isRunning ? this.#nextS - nowS : PLAYING.usualS));
    const isInTime = isRunning && Math.abs(this.#nextS - wantedS) <= PLAYING.offS;
    // It goes on where it is rather than have a piece heard twice or in part; and never over what plays already.
    if (!isInTime && this.#nextS > wantedS) return undefined;
    const beginS = isInTime ? this.#nextS : wantedS;
    this.#nextS = beginS + durationS;
    return beginS;
  }
}
