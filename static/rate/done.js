import { tellHandedIn } from "./other_tabs.js";

tellHandedIn();
