// Tells what DateTime.Parse reads under en-US: for each line, a text in base64, the date in UTC, or "refused".
using System;
using System.Globalization;
using System.Text;

static class DateParse
{
    static void Main()
    {
        var american = new CultureInfo("en-US");
        for (string line; (line = Console.ReadLine()) != null;)
        {
            try
            {
                DateTime date = DateTime.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(line)), american);
                Console.WriteLine(date.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture));
            }
            catch (FormatException)
            {
                Console.WriteLine("refused");
            }
        }
    }
}
