import type { JSX } from "preact";
import { type Choice, streamWords } from "./streams.ts";

const BEST = "";

/** Which stream of a camera is played: the best that there is of each instant, or a certain one. */
export function StreamChoice(props: {
  readonly name: string;
  /** Of the camera, the best one first. */
  readonly streams: readonly string[];
  readonly choice: Choice;
  /** Those that the browser cannot show, where another one is played before them. */
  readonly unshowable: readonly string[];
  readonly onChoose: (choice: Choice) => void;
}): JSX.Element {
  const { name, streams, choice, unshowable, onChoose } = props;
  return (
    <label>
      Stream of {name}{" "}
      <select
        value={choice ?? BEST}
        onChange={({ currentTarget: { value } }) => onChoose(value === BEST ? undefined : value)}
      >
        <option value={BEST}>Best there is</option>
        {streams.map((stream) => (
          <option key={stream} value={stream}>
            {optionWords(stream)}
          </option>
        ))}
      </select>
      {unshowable.length === 0 ? null : (
        <small role="status"> This browser cannot show the {unshowable.map(streamWords).join(" and the ")}.</small>
      )}
    </label>
  );
}

function optionWords(stream: string): string {
  const words = streamWords(stream);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
