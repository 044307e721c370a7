// SPDX-License-Identifier: Apache-2.0
// A dashboard's page: its grid, each panel by Grafana's own component.
import {createRoot} from 'react-dom/client';
import {createElement} from 'react';
import {EventBusSrv, fieldReducers, getFieldDisplayName, ThemeContext} from '@grafana/data';
import {
  BigValue, GlobalStyles, PanelChrome, PanelContextProvider, Table, TimeSeries,
} from '@grafana/ui';
import {Heatmap} from './heatmap';
import {input, seriesOf, tableOf, theme, timeRange} from './frames';

const CELL = 38; // Grafana's grid: 30 px and a gap of 8
const GAP = 8;

function Stat({panel, width, height}: any) {
  const frames = seriesOf(panel);
  const each = width / Math.max(frames.length, 1);
  return (
    <div style={{display: 'flex'}}>
      {frames.map((frame, i) => {
        const field = frame.fields[1];
        const last = fieldReducers.get('lastNotNull').reduce!(field, false, false) as any;
        const value = field.display!(last.lastNotNull);
        const {textMode, graphMode} = panel.options;
        return (
          <BigValue key={i} theme={theme} width={each} height={height}
            value={{...value, title: textMode === 'value' ? '' : getFieldDisplayName(field, frame)}}
            colorMode={panel.options.colorMode} textMode={textMode} graphMode={graphMode}
            sparkline={graphMode === 'area' ? {x: frame.fields[0], y: field} : undefined} />);
      })}
    </div>);
}

function Graph({panel, width, height}: any) {
  return (
    <TimeSeries frames={seriesOf(panel)} width={width} height={height} timeRange={timeRange}
      timeZone="browser" legend={panel.options.legend} options={panel.options} />);
}

function Rows({panel, width, height}: any) {
  return (
    <Table data={tableOf(panel)} width={width} height={height}
      columnMinWidth={panel.fieldConfig.defaults.custom.minWidth}
      initialSortBy={panel.options.sortBy} />);
}

const KINDS: Record<string, any> = {stat: Stat, timeseries: Graph, table: Rows, heatmap: Heatmap};

// Grafana shows this instead of a panel whose queries have no result.
function NoData({width, height}: any) {
  return (
    <div style={{width, height, display: 'grid', placeItems: 'center',
      color: theme.colors.text.secondary}}>No data</div>);
}

const isEmpty = (panel: any) => panel.targets.every((target: any) =>
  !input.data[`${panel.id} ${target.refId}`].result.length);

function Panel({panel}: any) {
  const {x, y, w, h} = panel.gridPos;
  const unit = (input.width - GAP) / 24;
  const box = {
    position: 'absolute' as const, left: GAP + x * unit, top: 72 + y * CELL,
    width: w * unit - GAP, height: h * CELL - GAP,
  };
  if (panel.type === 'row') return <h4 style={{...box, paddingTop: 4}}>⌄ {panel.title}</h4>;
  return (
    <div style={box}>
      <PanelChrome title={panel.title} description={panel.description} width={box.width}
        height={box.height}>
        {(width: number, height: number) =>
          createElement(isEmpty(panel) ? NoData : KINDS[panel.type], {panel, width, height})}
      </PanelChrome>
    </div>);
}

function Page() {
  const {board} = input;
  const rows = Math.max(...board.panels.map((p: any) => p.gridPos.y + p.gridPos.h));
  const chips = board.templating.list.map((v: any) =>
    `${v.label}: ${v.type === 'datasource' ? 'Prometheus' : 'All'}`);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{eventsScope: 'page', eventBus: new EventBusSrv()}}>
        <div style={{position: 'relative', width: input.width, height: 80 + rows * CELL,
          background: theme.colors.background.canvas}}>
          <h2 style={{position: 'absolute', left: GAP * 2, top: 8}}>{board.title}</h2>
          <div style={{position: 'absolute', left: GAP * 2, top: 44,
            color: theme.colors.text.secondary}}>{chips.join('   ·   ')}</div>
          {board.panels.map((panel: any) => <Panel key={panel.id} panel={panel} />)}
        </div>
      </PanelContextProvider>
    </ThemeContext.Provider>);
}

createRoot(document.getElementById('root')!).render(<Page />);
