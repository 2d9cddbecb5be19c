/** What to say of a test that fails beyond what it said itself: what stood in a window of a browser, for one. */
export const witnesses = new Set<() => Promise<string>>();

/** Puts what the witnesses say into the message of a test that failed: on a machine that nobody can look at, there is nothing else to go by. */
export const mochaHooks = {
  async afterEach(this: Mocha.Context): Promise<void> {
    const { currentTest } = this;
    if (currentTest?.state !== "failed" || currentTest.err === undefined) return;
    for (const witness of witnesses) {
      const said = await witness().catch((error: unknown) => String(error));
      currentTest.err.stack += `\n${said}`;
    }
  },
};
