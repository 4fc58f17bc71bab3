import { matrixOn } from './matrix.js';

matrixOn('sqlite');
