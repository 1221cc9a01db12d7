/** The one place that registers elements. */

import { DashboardElement, WidgetElement } from "./elements.js";
import { installThemeSwitch } from "./theme.js";
import "./main.css";

installThemeSwitch();
customElements.define("pv-dashboard", DashboardElement);
customElements.define("pv-widget", WidgetElement);
