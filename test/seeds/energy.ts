import { config, csv, held, open, type System, testsOf } from './row.ts'

/** System B: energy. */
export const energy: System = {
  name: 'B',
  rows: [
    open(
      'GET /api/dashboard',
      'the shapes of its document',
      'metrics todayConsumption predicted24hUsage energySaved keyInsights energyUsageForecast applianceBreakdown optimizationSchedule',
    ),
    open('dashboard.metrics.todayConsumption', 'energy of today and its change', 'value changePercent trend'),
    open('dashboard.metrics.predicted24hUsage', 'forecast of the next day', 'value model confidence'),
    open('dashboard.metrics.energySaved', 'saved against the baseline', 'value period'),
    open('dashboard.metrics.keyInsights', 'sentences'),
    open(
      'dashboard.energyUsageForecast',
      '24 hours with their interval',
      'timestamp forecast confidence lower upper 24',
    ),
    open('dashboard.applianceBreakdown', 'share of each appliance', 'appliance percentage consumption color'),
    open(
      'dashboard.optimizationSchedule',
      'good hours and what they save',
      'optimalPeriods start end type label carbonIntensity savings cost carbonKg',
    ),
    open('GET /api/devices', 'the devices in its shape'),
    open(
      'GET /api/device/{device_id}/insights',
      'forecast, cost, windows and anomaly of one device',
      'next_24h_forecast_kwh predicted_daily_cost optimal_usage_windows estimated_savings is_anomaly_detected anomaly_score feature_importance model_metrics rmse mae mape 24 3 5',
    ),
    open('insights: 404', 'names the device that does not exist', 'detail Device X not found'),
    open('GET /api/forecast', 'days and peak periods', 'day value peak_periods time date'),
    open('GET /api/appliances', 'appliances and totals', 'total_devices total_consumption'),
    open('/v1/...', 'the same routes, versioned', 'v1'),
    open('/v2/...', 'the same routes, versioned', 'v2'),
    held(
      'CSV of 19 columns',
      'imports as devices, energy, climate and tariff',
      csv(
        'the energy backend’s 19 columns: energy and duration of each device, climate and price of the home',
      ),
      'data/energy_sample/',
    ),
    open(
      'CSV: attributes',
      'rating, efficiency, standby, peak, age and maintenance become attributes of devices',
    ),
    open('fault: leaking features', 'no feature contains its target'),
    open('fault: lag', 'a lag is a time, not the record before'),
    open('fault: flat forecast', 'lags follow the forecast'),
    open('fault: made-up confidence', 'intervals are measured'),
    open('fault: partial sums', 'sums cover all devices'),
    held('API_PORT', 'port of the API', config('the names of the older systems')),
    held('DEBUG', 'verbose log', config('the names of the energy backend')),
    held(
      'DATA_FILE',
      'CSV file that is imported',
      testsOf('test/cli/serve.test.ts')(
        'DATA_FILE is imported when the hub starts, and not again by a restart',
      ),
    ),
  ],
}
