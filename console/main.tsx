import "./style/base.css";
import "./style/layout.css";
import "./style/lists.css";
import "./style/views.css";
import { render } from "preact";
import { Console } from "./app/console.tsx";

const root = document.getElementById("console");
if (root) render(<Console />, root);
