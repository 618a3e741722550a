// A small worker: no port, a line now and then, a clean end on SIGTERM.

const { GIT_SHA = "unknown", BEAT_MS = "10000" } = process.env;

function say(line) {
  process.stdout.write(`${new Date().toISOString()} worker ${GIT_SHA.slice(0, 7)} ${line}\n`);
}

let jobs = 0;
say("waiting for jobs");
const beat = setInterval(() => {
  jobs += 1;
  say(`did job ${jobs}`);
}, Number(BEAT_MS));

process.once("SIGTERM", () => {
  clearInterval(beat);
  say("stopping");
});
