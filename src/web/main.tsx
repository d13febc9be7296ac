import "./styles/app.css";
import { render } from "preact";
import { Shell } from "./shell.tsx";
import { startClock } from "./state/clock.ts";
import { start } from "./state/node.ts";
import { startRouter } from "./state/router.ts";

startRouter();
start();
startClock();
render(<Shell />, document.getElementById("app")!);
