// Reads sequences of frames from standard input, applies each to a topic, and writes what came of it.
import { Topic } from "../../pathway_viz/browser/state.js";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const results = JSON.parse(Buffer.concat(chunks).toString()).map((frames) => {
  const topic = new Topic("t");
  const verdicts = frames.map(([kind, frame]) => (kind === "snapshot" ? (topic.replace(frame), "applied") : topic.apply(frame)));
  const events = topic.happenings.filter(({ key }) => key === "").map(({ row }) => row);
  return { verdicts, position: topic.position, rows: Object.fromEntries(topic.rows), events, skipped: topic.skipped };
});
process.stdout.write(JSON.stringify(results));
